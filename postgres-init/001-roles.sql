-- The roles of the pipeline. Roles belong to the whole cluster, so this file may find them there already.
--
--   users_app   owns the users table and writes to it
--   sluice      reads the WAL and takes the snapshot; it can write nothing
--   airflow     owns the database of Airflow's metadata and has no access to the users
--
-- None has a password yet: 002-development-passwords.sql gives them one on a developer's machine,
-- in production use ALTER ROLE … PASSWORD from your secret store and leave that file out.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'users_app') THEN
        CREATE ROLE users_app LOGIN;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'sluice') THEN
        CREATE ROLE sluice LOGIN REPLICATION;
    END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'airflow') THEN
        CREATE ROLE airflow LOGIN;
    END IF;
END
$$;
