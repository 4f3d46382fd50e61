-- Arrays of identifiers, documents, bytes, addresses.
CREATE TABLE t (
    id int PRIMARY KEY,
    u uuid[],
    j jsonb[],
    b bytea[],
    i inet[]
);
INSERT INTO t VALUES (1, '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '{"{\"a\": 1}"}', '{"\\xdead"}', '{192.168.1.5}');
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
