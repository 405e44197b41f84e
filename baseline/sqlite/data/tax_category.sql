-- Written by dbbuild. Not to be edited.
INSERT INTO "tax_category" ("code", "name") VALUES ('book', 'Books and periodicals');
INSERT INTO "tax_category" ("code", "name") VALUES ('exempt', 'Exempt from tax');
INSERT INTO "tax_category" ("code", "name") VALUES ('food', 'Food and drink');
INSERT INTO "tax_category" ("code", "name") VALUES ('standard', 'Standard rate');
