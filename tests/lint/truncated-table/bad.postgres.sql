truncate customer cascade;
