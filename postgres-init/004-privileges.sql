-- Least privilege: what each role needs, and nothing that PUBLIC would have handed out beside it.
-- The database is the one this file runs in, whatever its name.
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO users_app, sluice', current_database());
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO users_app, sluice;

-- SELECT is for the initial snapshot; the stream itself needs only the REPLICATION attribute.
GRANT SELECT ON public.users TO sluice;
