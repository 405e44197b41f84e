create type mood as enum ('sad', 'glad');
create role clerk;
CREATE OPERATOR === (leftarg = int, rightarg = int, function = int4eq);
