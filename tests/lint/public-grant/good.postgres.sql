grant select on customer to clerk;
revoke all on customer from public;
