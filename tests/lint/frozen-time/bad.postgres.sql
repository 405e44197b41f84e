create or replace view recent as
select id from sale where sold > 'now'::timestamp - interval '1 month';
alter table sale alter column sold set default date 'today';
