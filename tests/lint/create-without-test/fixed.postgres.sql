do $do$
begin
  create type mood as enum ('sad', 'glad');
exception when duplicate_object then
  null;
end
$do$;
do $do$
begin
  create role clerk;
exception when duplicate_object then
  null;
end
$do$;
DO $do$
BEGIN
  CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq);
EXCEPTION WHEN duplicate_function THEN
  NULL;
END
$do$;
