create table if not exists note (id bigint generated always as identity primary key, text text);
insert into note (text) select 'a' where not exists (select 1 from note where text = 'a') on conflict do nothing;
create table if not exists sighting (bird text);
do $$
begin
  if not exists (select 1 from sighting where "bird" = 'crane') then
  insert into sighting values ('crane');
  end if;
exception when unique_violation then null;
end
$$;
