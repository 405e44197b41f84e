CREATE INDEX IF NOT EXISTS customer_email ON customer (email);
