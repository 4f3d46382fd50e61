-- A key of which no two periods overlap.
--@ postgres 18-
CREATE TABLE t (room int4range, during tsrange, guest text, PRIMARY KEY (room, during WITHOUT OVERLAPS));
INSERT INTO t VALUES ('[1,2)', '[2026-01-01,2026-01-03)', 'a');
--@ streaming
INSERT INTO t VALUES ('[1,2)', '[2026-01-03,2026-01-05)', 'b');
UPDATE t SET guest = 'c' WHERE during @> '2026-01-04'::timestamp;
UPDATE t SET during = '[2026-01-03,2026-01-06)' WHERE guest = 'c';
DELETE FROM t WHERE guest = 'a';
