create table if not exists t (a timestamp with time zone, b timestamptz);
