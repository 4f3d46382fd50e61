-- Search documents.
CREATE TABLE t (
    id int PRIMARY KEY,
    v tsvector
);
INSERT INTO t VALUES (1, to_tsvector('english', 'The quick brown fox jumps'));
INSERT INTO t (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
