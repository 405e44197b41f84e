delete from customer where id = 1;
