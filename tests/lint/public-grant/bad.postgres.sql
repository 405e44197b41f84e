grant select on customer to public;
