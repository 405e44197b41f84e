CREATE TABLE IF NOT EXISTS tag (name text PRIMARY KEY);
CREATE OR REPLACE FUNCTION first_tag() RETURNS void LANGUAGE sql AS $$ INSERT INTO tag VALUES ('new') ON CONFLICT DO NOTHING $$;
-- dbbuild: allow(opaque-call) it asks by itself
SELECT first_tag();
-- dbbuild: unless query SELECT 1 FROM pg_largeobject_metadata WHERE oid = 4242
SELECT lo_create(4242);
-- dbbuild: allow(opaque-call) it asks by itself
SELECT create_hypertable('tag', 'at', if_not_exists => true);
