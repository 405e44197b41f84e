-- Written by dbbuild. Not to be edited.
INSERT INTO "order_state" ("code", "position", "name") VALUES ('cancelled', 70, 'Cancelled');
INSERT INTO "order_state" ("code", "position", "name") VALUES ('delivered', 50, 'Delivered');
INSERT INTO "order_state" ("code", "position", "name") VALUES ('new', 10, 'New');
INSERT INTO "order_state" ("code", "position", "name") VALUES ('packed', 30, 'Packed');
INSERT INTO "order_state" ("code", "position", "name") VALUES ('paid', 20, 'Paid');
INSERT INTO "order_state" ("code", "position", "name") VALUES ('returned', 60, 'Returned');
INSERT INTO "order_state" ("code", "position", "name") VALUES ('shipped', 40, 'Shipped');
