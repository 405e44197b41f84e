create index on customer (email);
