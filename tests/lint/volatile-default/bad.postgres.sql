alter table customer add column if not exists token uuid default gen_random_uuid();
