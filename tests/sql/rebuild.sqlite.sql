PRAGMA foreign_keys=OFF;
create table parent (id integer primary key); create table child (id, parent references parent deferrable initially deferred);
create table new_parent (id integer primary key, name text not null default '');
insert or ignore into new_parent (id) select id from parent;
drop table parent;
alter table new_parent rename to parent;
create unique index if not exists child_id on child (id);
pragma user_version = 3; pragma main.journal_mode = memory; pragma foreign_key_check;
PRAGMA foreign_keys=ON;
vacuum; attach ':memory:' as other; create table other.x (y); detach other; create temp table z (a); reindex; analyze
