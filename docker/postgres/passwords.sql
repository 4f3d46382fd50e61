-- The passwords of the roles, from the secrets of the container: in docker-compose.yml this file stands in for
-- postgres-init/002-development-passwords.sql. It runs once, when the volume is empty. The server reads the files
-- itself, so that no password is among the arguments or in the environment of a process.
DO $$
DECLARE
    role text;
BEGIN
    FOREACH role IN ARRAY ARRAY['users_app', 'sluice', 'airflow'] LOOP
        EXECUTE format('ALTER ROLE %I PASSWORD %L', role, pg_read_file(format('/run/secrets/%s_password', role)));
    END LOOP;
END
$$;
