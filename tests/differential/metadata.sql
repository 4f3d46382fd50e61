-- Transactions that are told: their records, and the place of each event in its own.
CREATE TABLE t (id int PRIMARY KEY, a text);
CREATE TABLE u (id int PRIMARY KEY, x text);
CREATE TABLE "Tab le" ("Id" int PRIMARY KEY);
CREATE TABLE hidden (id int PRIMARY KEY);
INSERT INTO t VALUES (1, 'of the snapshot');
--@ streaming
BEGIN;
INSERT INTO t VALUES (2, 'a');
INSERT INTO u VALUES (1, 'u');
UPDATE t SET id = 3 WHERE id = 2;
INSERT INTO hidden VALUES (1);
DELETE FROM t WHERE id = 3;
INSERT INTO "Tab le" VALUES (1);
INSERT INTO u VALUES (2, 'v');
COMMIT;
-- Nothing captured, nothing at all, nothing left.
INSERT INTO hidden VALUES (2);
BEGIN;
COMMIT;
BEGIN;
SAVEPOINT s;
INSERT INTO t VALUES (4, 'rolled back');
ROLLBACK TO SAVEPOINT s;
COMMIT;
BEGIN;
INSERT INTO t VALUES (4, 'rolled back');
ROLLBACK;
-- Tables emptied, alone and among rows.
TRUNCATE t, u;
BEGIN;
INSERT INTO t VALUES (5, 'a');
TRUNCATE u, hidden, t;
INSERT INTO t VALUES (5, 'b');
COMMIT;
-- An alteration alone, and one between rows.
ALTER TABLE u ADD y int;
BEGIN;
INSERT INTO t VALUES (6, 'a');
ALTER TABLE t ADD b int;
INSERT INTO t VALUES (7, 'b');
COMMIT;
-- A statement that changes no row, and one that sets what is there.
UPDATE t SET a = 'none' WHERE id = 99;
UPDATE t SET a = a WHERE id = 5;
