-- Identifiers and documents.
CREATE TABLE t (
    id int PRIMARY KEY,
    c_uuid uuid,
    c_json json,
    c_jsonb jsonb
);
INSERT INTO t VALUES (1, 'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1,  "b":[true,null]}', '{"b":[true,null],"a":1.50}');
INSERT INTO t (id) VALUES (2);
INSERT INTO t VALUES (3, NULL, 'null', 'null');
INSERT INTO t VALUES (4, NULL, '"é"', '[]');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
