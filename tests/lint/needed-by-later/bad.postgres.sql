drop view if exists sale;
create view sale as select id, amount from orders;
create or replace view sale_total as select sum(amount) from sale;
