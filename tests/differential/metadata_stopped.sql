-- Transactions that are told, before and after both connectors were stopped.
CREATE TABLE t (id int PRIMARY KEY, a text);
CREATE TABLE u (id int PRIMARY KEY);
--@ streaming
BEGIN;
INSERT INTO t VALUES (1, 'a');
INSERT INTO u VALUES (1);
INSERT INTO t VALUES (2, 'b');
COMMIT;
--@ stopped
BEGIN;
INSERT INTO t VALUES (3, 'c');
INSERT INTO u VALUES (2);
COMMIT;
UPDATE t SET a = 'd' WHERE id = 1;
--@ stopped
--@ streaming
DELETE FROM t WHERE id = 1;
