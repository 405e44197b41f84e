create table if not exists orders (id bigint primary key, state text check (state in ('open', 'paid')));
