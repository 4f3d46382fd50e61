-- Logical messages without any change of a table, many and large ones among them.
CREATE TABLE t (id int PRIMARY KEY);
--@ streaming
SELECT pg_logical_emit_message(true, 'pfx', 'the first');
SELECT pg_logical_emit_message(false, 'pfx', 'number ' || n) FROM generate_series(1, 30) n;
SELECT pg_logical_emit_message(true, 'pfx', 'number ' || n) FROM generate_series(1, 30) n;
SELECT pg_logical_emit_message(true, 'large', repeat('x', 200000));
SELECT pg_logical_emit_message(false, 'large', repeat('y', 200000));
BEGIN;
SELECT pg_logical_emit_message(true, 'large', repeat('z', 100000));
SELECT pg_logical_emit_message(true, 'large', repeat('u', 100000));
COMMIT;
