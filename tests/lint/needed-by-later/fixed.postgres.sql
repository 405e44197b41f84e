-- dbbuild: unless column customer.avatar begin
drop view if exists sale;
create view sale as select id, amount from orders;
create or replace view sale_total as select sum(amount) from sale;
alter table customer add column avatar varchar;
alter table customer alter column avatar type text;
create or replace view customer_face as select id, avatar from customer;
-- dbbuild: end
