-- Takes version 12 back. The points that customers have are preserved by `dbbuild downgrade`.
-- dbbuild: if column customer.loyalty_points
alter table customer drop column loyalty_points;
