create table if not exists tag (
    name text primary key,
    meaning text
);
