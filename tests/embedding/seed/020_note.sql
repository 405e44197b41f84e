insert into note (id, body) values (1, 'Welcome') on conflict (id) do nothing;
