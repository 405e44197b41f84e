-- Customers collect points. SQLite knows no "add column if not exists", so dbbuild asks first.
-- dbbuild: unless column customer.loyalty_points
alter table customer add column loyalty_points integer not null default 0
    constraint customer_loyalty_points_not_negative check (loyalty_points >= 0);
