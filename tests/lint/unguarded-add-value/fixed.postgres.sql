alter type mood add value if not exists 'calm' before 'glad';
do $do$
begin
  if not exists (select from pg_attribute where attrelid = to_regclass('address') and attname = 'zip' and not attisdropped) then
    alter type address add attribute zip text;
  end if;
end
$do$;
