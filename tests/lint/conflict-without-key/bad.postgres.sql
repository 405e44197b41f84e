create table if not exists note (id bigint generated always as identity primary key, text text);
insert into note (text) values ('a') on conflict do nothing;
create table if not exists sighting (bird text);
do $$
begin
  insert into sighting values ('crane');
exception when unique_violation then null;
end
$$;
