-- One row changed many times in one transaction.
CREATE TABLE t (id int PRIMARY KEY, a text, b int UNIQUE);
INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3);
--@ streaming
BEGIN;
DELETE FROM t WHERE id = 1;
INSERT INTO t VALUES (1, 'again', 1);
UPDATE t SET id = 10 WHERE id = 2;
UPDATE t SET id = 20 WHERE id = 10;
UPDATE t SET id = 2 WHERE id = 20;
SAVEPOINT s;
UPDATE t SET a = 'rolled back' WHERE id = 3;
SAVEPOINT s2;
DELETE FROM t WHERE id = 3;
RELEASE SAVEPOINT s2;
ROLLBACK TO SAVEPOINT s;
UPDATE t SET a = 'kept' WHERE id = 3;
INSERT INTO t VALUES (3, 'conflict', 3) ON CONFLICT (id) DO UPDATE SET a = excluded.a, b = 33;
INSERT INTO t VALUES (4, 'conflict', 33) ON CONFLICT (b) DO NOTHING;
COMMIT;
BEGIN;
INSERT INTO t VALUES (5, 'short', 5);
DELETE FROM t WHERE id = 5;
COMMIT;
