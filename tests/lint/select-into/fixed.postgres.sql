create table if not exists report as select 1 as a ;
