-- The passwords of the roles, from the secrets of the container: in docker-compose.yml this file stands in for
-- postgres-init/002-development-passwords.sql. It runs once, when the volume is empty. The server reads the files
-- itself, so that no password is among the arguments or in the environment of a process.
DO $$
DECLARE
    role_name text;
    file_name text;
BEGIN
    FOR role_name, file_name IN
        VALUES ('users_app', '/run/secrets/users_app_password'),
               ('sluice', '/run/secrets/sluice_password'),
               ('airflow', '/run/secrets/airflow_password')
    LOOP
        EXECUTE format('ALTER ROLE %I PASSWORD %L', role_name, pg_read_file(file_name));
    END LOOP;
END
$$;
