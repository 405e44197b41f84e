insert into country (id, code) values (1, 'NL') on conflict do nothing;
