-- Written by dbbuild. Not to be edited.
INSERT INTO "shop_setting" ("name", "value") VALUES ('mail.sender', 'shop@example.com');
INSERT INTO "shop_setting" ("name", "value") VALUES ('order.free_shipping_minor', '7500');
INSERT INTO "shop_setting" ("name", "value") VALUES ('order.return_days', '30');
