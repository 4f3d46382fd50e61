-- Defaults that are functions: zeros of their types in the schemas.
CREATE TABLE t (
    id bigserial PRIMARY KEY,
    a timestamptz NOT NULL DEFAULT now(),
    b timestamp NOT NULL DEFAULT now(),
    c date NOT NULL DEFAULT CURRENT_DATE,
    d uuid NOT NULL DEFAULT gen_random_uuid(),
    e text NOT NULL DEFAULT md5('x'),
    f int NOT NULL DEFAULT (1 + 1),
    g numeric(6, 2) NOT NULL DEFAULT round(1.5),
    h timestamptz DEFAULT CURRENT_TIMESTAMP
);
INSERT INTO t DEFAULT VALUES;
--@ streaming
INSERT INTO t DEFAULT VALUES;
DELETE FROM t WHERE id = 1;
