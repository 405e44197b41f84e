create table if not exists t (a json);
