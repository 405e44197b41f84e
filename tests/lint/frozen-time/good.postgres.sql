create or replace view recent as
select id, 'now' as label from sale where sold > now() - interval '1 month' or sold > 'now'::text::timestamp;
alter table sale alter column sold set default current_date;
