-- Vectors of pgvector: dense, of half precision, sparse, and arrays of them.
--@ extension vector
CREATE EXTENSION vector;
CREATE TABLE t (
    id int PRIMARY KEY,
    v vector(3),
    h halfvec(3),
    s sparsevec(3000),
    required vector(2) NOT NULL
);
INSERT INTO t VALUES (1, '[1,2,3]', '[1.5,-2,0.25]', '{1:201,9:209}/3000', '[0.1,-1e-10]');
INSERT INTO t (id, required) VALUES (2, '[0,0]');
INSERT INTO t VALUES (3, '[0,0,0]', '[0,0,0]', '{}/3000', '[3e38,1]');
--@ streaming
CREATE TEMP TABLE again AS TABLE t;
UPDATE again SET id = id + 10;
INSERT INTO t TABLE again;
UPDATE t SET id = id WHERE id = 11;
DELETE FROM t WHERE id = 11;
