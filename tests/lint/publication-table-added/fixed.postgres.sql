do $do$
begin
  begin
  alter publication changes add table customer;
exception when duplicate_column then
  null;
end;
exception when duplicate_object then
  null;
end
$do$;
do $do$
begin
  alter server archive options (add host 'a');
exception when duplicate_object or undefined_object then
  null;
end
$do$;
