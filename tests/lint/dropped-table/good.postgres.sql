drop view if exists customer;
