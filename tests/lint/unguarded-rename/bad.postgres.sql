alter table customer rename to client;
alter table "Order" rename column "No" to number;
alter type mood rename value 'sad' to 'blue';
