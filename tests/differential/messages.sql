-- Logical messages.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
--@ streaming
SELECT pg_logical_emit_message(true, 'pfx', 'hello');
BEGIN;
INSERT INTO t VALUES (1, 'a', 1);
SELECT pg_logical_emit_message(true, 'in', 'inside');
INSERT INTO t VALUES (2, 'a', 1);
COMMIT;
