-- A stop while a transaction is open, and others commit before and behind it.
CREATE TABLE t (id int PRIMARY KEY, a text);
--@ streaming
INSERT INTO t VALUES (1, 'before');
--@ stopped
BEGIN;
INSERT INTO t SELECT i, 'long' FROM generate_series(10, 19) i;
COMMIT;
INSERT INTO t VALUES (2, 'while stopped');
--@ stopped
INSERT INTO t VALUES (3, 'stopped again');
--@ streaming
UPDATE t SET a = 'after' WHERE id IN (1, 2, 3);
