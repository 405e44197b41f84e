alter publication changes set table customer;
alter server archive options (set host 'a');
