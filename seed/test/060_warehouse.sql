insert into warehouse (code, name, country_code)
values
    ('BSL', 'Basel', 'CH'),
    ('RTM', 'Rotterdam', 'NL')
on conflict (code) do update set name = excluded.name, country_code = excluded.country_code;
