-- DEVELOPMENT ONLY: passwords in clear, for servers that listen on the loopback interface.
-- This is the only file of postgres-init/ that holds any. Never apply it to a server that others can reach.
ALTER ROLE users_app PASSWORD 'users_app';
ALTER ROLE sluice PASSWORD 'sluice';
ALTER ROLE airflow PASSWORD 'airflow';
