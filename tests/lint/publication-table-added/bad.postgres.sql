alter publication changes add table customer;
alter server archive options (add host 'a');
