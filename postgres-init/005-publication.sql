-- What the source connector may see. Whoever runs this file (the DBA) owns the publication: the replication role
-- can read it but not widen it, which is why the connector runs with publication.autocreate.mode=disabled.
DO $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_publication WHERE pubname = 'sluice_users') THEN
        CREATE PUBLICATION sluice_users FOR TABLE public.users;
    END IF;
END
$$;
