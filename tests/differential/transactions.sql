-- Transactions over several tables, with savepoints.
--@ postgres 15-
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
CREATE TABLE u (id int PRIMARY KEY, x text);
--@ streaming
BEGIN;
INSERT INTO t VALUES (1, 'a', 1);
INSERT INTO u VALUES (1, 'u');
UPDATE t SET a = 'b' WHERE id = 1;
INSERT INTO u VALUES (2, 'v');
COMMIT;
INSERT INTO t VALUES (9, 'z', 9);
BEGIN;
INSERT INTO t VALUES (10, 'a', 1);
SAVEPOINT s;
INSERT INTO t VALUES (11, 'b', 1);
ROLLBACK TO SAVEPOINT s;
INSERT INTO t VALUES (12, 'c', 1);
COMMIT;
INSERT INTO t VALUES (1, 'dup', 9) ON CONFLICT (id) DO UPDATE SET a = 'upsert';
MERGE INTO t USING (VALUES (1, 'm'), (50, 'n')) s (i, x) ON t.id = s.i
    WHEN MATCHED THEN UPDATE SET a = s.x
    WHEN NOT MATCHED THEN INSERT VALUES (s.i, s.x, 0);
