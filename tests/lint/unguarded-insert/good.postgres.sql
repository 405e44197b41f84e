insert into country (code, name) values ('at', 'Austria') on conflict (code) do nothing;
insert into note (text) select 'a' where not exists (select from note where text = 'a');
merge into note using country on true when matched then do nothing;
