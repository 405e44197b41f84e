update customer set points = 0;
update customer set name = lower(name);
update customer set points = points + 1 where points = 0;
update customer set token = gen_random_uuid() where token is null;
update customer set note = replace(note, 'a', 'b');
