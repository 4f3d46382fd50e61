#!/bin/sh
# The database of Airflow's metadata. CREATE DATABASE runs in no transaction, so this is a script of the Docker image;
# without Docker, `sluice-users init --airflow` does the same.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
SELECT 'CREATE DATABASE airflow OWNER airflow'
WHERE NOT EXISTS (SELECT 1 FROM pg_database WHERE datname = 'airflow') \gexec
REVOKE ALL ON DATABASE airflow FROM PUBLIC;
SQL
