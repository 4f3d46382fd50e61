-- A unique constraint on columns that are not null of which no two periods overlap, in a table without a primary key.
--@ postgres 18-
CREATE TABLE t (room int4range NOT NULL, during tsrange NOT NULL, guest text, UNIQUE (room, during WITHOUT OVERLAPS));
ALTER TABLE t REPLICA IDENTITY FULL;
INSERT INTO t VALUES ('[1,2)', '[2026-01-01,2026-01-03)', 'a');
--@ streaming
INSERT INTO t VALUES ('[1,2)', '[2026-01-03,2026-01-05)', 'b');
UPDATE t SET guest = 'c' WHERE during @> '2026-01-04'::timestamp;
UPDATE t SET during = '[2026-01-03,2026-01-06)' WHERE guest = 'c';
DELETE FROM t WHERE guest = 'a';
