delete from price where id = (select max(id) from price);
delete from visit where id in (select id from visit limit 1000);
