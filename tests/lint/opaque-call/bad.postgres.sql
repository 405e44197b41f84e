select make_partitions('sale');
select * from partman.create_parent('public.sale', 'day');
call close_month();
