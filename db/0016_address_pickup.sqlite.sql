-- dbbuild: foreign-keys off
-- Parcels may go to a pickup point: address.kind learns a third value. SQLite cannot change a
-- CHECK, so the table is built anew. Orders refer to it: hence foreign keys off until the end.
-- dbbuild: unless query select 1 from sqlite_schema where name = 'address' and sql like '%pickup%' begin
drop table if exists address_new;

create table address_new (
    customer_id bigint not null,
    number integer not null,
    kind text not null default 'home',
    recipient text not null,
    line1 text not null,
    line2 text,
    postal_code text,             -- not every country has them
    city text not null,
    region text,
    country_code text not null,
    constraint address_pkey primary key (customer_id, number),
    constraint address_number_positive check (number > 0),
    constraint address_kind_known check (kind in ('home', 'work', 'pickup')),
    constraint address_customer_fkey foreign key (customer_id)
        references customer (id) on delete cascade,
    constraint address_country_fkey foreign key (country_code) references country (code)
);

insert into address_new (
    customer_id, number, kind, recipient, line1, line2, postal_code, city, region, country_code
)
select
    customer_id, number, kind, recipient, line1, line2, postal_code, city, region, country_code
from address;

drop table address;
alter table address_new rename to address;
create index address_country_idx on address (country_code);
-- dbbuild: end
