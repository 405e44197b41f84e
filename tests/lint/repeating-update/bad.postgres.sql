update customer set points = points + 1;
update customer set name = name || '!' where id > 3;
update customer set changed = now();
