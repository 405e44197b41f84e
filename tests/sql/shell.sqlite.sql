.bail on
.read other.sql
create table t (a);
.import 'f.csv' t
select 1 as b, .5 as c; select t.a from t
