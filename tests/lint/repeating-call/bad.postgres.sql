CREATE TABLE note (id bigserial PRIMARY KEY, body text);
CREATE OR REPLACE FUNCTION welcome() RETURNS void LANGUAGE sql AS $$ INSERT INTO note (body) VALUES ('welcome') $$;
SELECT welcome();
SELECT lo_create(4242);
SELECT create_hypertable('note', 'at');
