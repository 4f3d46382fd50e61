-- Defaults of every kind in the schemas; rows that take them and rows with NULL in their place.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t (
    id int PRIMARY KEY,
    a int DEFAULT 5,
    b text DEFAULT 'x',
    c numeric(8, 2) DEFAULT 1.25,
    d timestamptz DEFAULT '2020-01-01 00:00:00+00',
    e boolean NOT NULL DEFAULT false,
    f date DEFAULT '2020-01-02',
    g uuid DEFAULT '00000000-0000-0000-0000-000000000001',
    h jsonb DEFAULT '{}',
    i text NOT NULL DEFAULT 'n',
    k int[] DEFAULT '{1,2}',
    l bytea DEFAULT '\x01',
    m interval DEFAULT '1 day',
    n mood DEFAULT 'ok',
    o varchar(5) DEFAULT NULL,
    p real DEFAULT 1.5,
    q time DEFAULT '01:02:03'
);
INSERT INTO t (id) VALUES (1);
INSERT INTO t VALUES (2, NULL, NULL, NULL, NULL, true, NULL, NULL, NULL, 'z', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
--@ streaming
INSERT INTO t (id) VALUES (3);
INSERT INTO t VALUES (4, NULL, NULL, NULL, NULL, true, NULL, NULL, NULL, 'z', NULL, NULL, NULL, NULL, NULL, NULL, NULL);
DELETE FROM t WHERE id = 4;
