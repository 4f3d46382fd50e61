-- What the DAGs of airflow/ keep beside the users table. None of these tables is published: nothing of them reaches Kafka.

-- One row per fetched page of a batch: what became of the documents. A run that is repeated overwrites its rows.
CREATE TABLE IF NOT EXISTS public.ingest_batches (
    batch        text NOT NULL,                       -- seed of the fetch, a function of the run's interval
    page         integer NOT NULL,
    received     integer NOT NULL,                    -- = rejected + erased + inserted + changed + unchanged
    rejected     integer NOT NULL,
    erased       integer NOT NULL,                    -- people who were erased and are not brought back
    inserted     integer NOT NULL,
    changed      integer NOT NULL,
    unchanged    integer NOT NULL,
    loaded_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (batch, page)
);

-- Documents that are no person. The raw document is cut down to the known fields first: no password, salt or hash.
CREATE TABLE IF NOT EXISTS public.users_rejected (
    batch        text NOT NULL,
    page         integer NOT NULL,
    position     integer NOT NULL,                    -- place of the document in its page, from 0
    user_id      uuid,                                -- login.uuid, where there is one: by it an erasure finds the row
    field        text NOT NULL,                       -- JSON pointer, '' for the whole document
    reason       text NOT NULL,                       -- what the field should have been; never its value
    raw          jsonb NOT NULL,
    rejected_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (batch, page, position)
);
CREATE INDEX IF NOT EXISTS users_rejected_user_id ON public.users_rejected (user_id);

-- One row per life event that was applied. It is written in the event's transaction, so that a repeated run applies
-- none twice.
CREATE TABLE IF NOT EXISTS public.life_events (
    run          text NOT NULL,                       -- seed of the run
    event        text NOT NULL,
    changes      integer NOT NULL,                    -- rows written
    applied_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, event)
);

-- To ask for an erasure: INSERT INTO public.erasure_requests (user_id) VALUES ('…').
CREATE TABLE IF NOT EXISTS public.erasure_requests (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      uuid,                                -- taken out when the request is completed
    requested_at timestamptz NOT NULL DEFAULT now(),
    completed_at timestamptz,
    CHECK ((user_id IS NULL) = (completed_at IS NOT NULL))
);

-- The proof of an erasure, without personal data: the digest says only to those who know the uuid whom it is about.
CREATE TABLE IF NOT EXISTS public.erasure_receipts (
    request_id        bigint PRIMARY KEY REFERENCES public.erasure_requests,
    subject_sha256    text NOT NULL,                  -- sha256 of the uuid's text, lower case, in hexadecimal
    requested_at      timestamptz NOT NULL,
    deleted_at        timestamptz NOT NULL,
    users_deleted     integer NOT NULL,               -- 0: nobody of that uuid was found
    rejected_deleted  integer NOT NULL,
    mirror_lsn        pg_lsn,                         -- a position after the delete, up to which Cassandra had followed
    mirror_clean_at   timestamptz,                    -- when Cassandra was then seen without the row
    completed_at      timestamptz
);
CREATE INDEX IF NOT EXISTS erasure_receipts_subject ON public.erasure_receipts (subject_sha256);

-- One row per comparison of Postgres with Cassandra.
CREATE TABLE IF NOT EXISTS public.reconciliations (
    run               text PRIMARY KEY,
    started_at        timestamptz NOT NULL,
    finished_at       timestamptz NOT NULL,
    verdict           text NOT NULL CHECK (verdict IN ('equal', 'different', 'moving', 'late')),
    postgres_rows     bigint,                         -- NULL where the quiet point was not reached
    cassandra_rows    bigint,
    differing_buckets integer,
    differing_count   integer,
    differing_keys    uuid[] NOT NULL DEFAULT '{}',   -- the first of them; a completed erasure takes its key out
    moving_count      integer,                        -- rows that changed at every look: neither equal nor different
    slot_lag_bytes    bigint,                         -- WAL that the slot had not confirmed at the start
    group_lag_records bigint,                         -- records that the sink had not committed at the start
    quiet_seconds     double precision                -- from the start to the quiet point
);

DO $$
DECLARE
    pipeline_table text;
BEGIN
    FOREACH pipeline_table IN ARRAY ARRAY[
        'ingest_batches', 'users_rejected', 'life_events', 'erasure_requests', 'erasure_receipts', 'reconciliations'
    ] LOOP
        EXECUTE format('ALTER TABLE public.%I OWNER TO users_app', pipeline_table);
    END LOOP;
END
$$;
