alter table if exists customer rename to client;
