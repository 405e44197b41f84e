alter domain amount drop constraint if exists amount_positive;
alter domain amount add constraint amount_positive check (value > 0) not valid;
