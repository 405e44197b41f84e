CREATE VIEW adult AS SELECT * FROM person WHERE age > 17;
