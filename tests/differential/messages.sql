-- Logical messages: transactional ones among the rows of their transaction, others between transactions.
CREATE TABLE t (id int PRIMARY KEY, a text, b int);
--@ streaming
SELECT pg_logical_emit_message(true, 'pfx', 'hello');
SELECT pg_logical_emit_message(false, 'pfx', 'outside of transactions');
BEGIN;
INSERT INTO t VALUES (1, 'a', 1);
SELECT pg_logical_emit_message(true, 'in', 'inside');
SELECT pg_logical_emit_message(false, 'out', 'sent before its transaction');
INSERT INTO t VALUES (2, 'a', 1);
SELECT pg_logical_emit_message(true, 'in', 'inside again');
COMMIT;
INSERT INTO t VALUES (3, 'a', 1);
BEGIN;
INSERT INTO t VALUES (4, 'a', 1);
SELECT pg_logical_emit_message(true, 'pfx', 'never sent');
SELECT pg_logical_emit_message(false, 'pfx', 'sent though its transaction is rolled back');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT pg_logical_emit_message(true, 'pfx', 'never sent');
SELECT pg_logical_emit_message(false, 'pfx', 'sent though its savepoint is rolled back');
ROLLBACK TO s;
SELECT pg_logical_emit_message(true, 'pfx', 'after the savepoint');
COMMIT;
SELECT pg_logical_emit_message(true, 'pfx', '');
SELECT pg_logical_emit_message(false, '', 'no prefix');
SELECT pg_logical_emit_message(true, 'pfx', '\x00ff8000'::bytea);
SELECT pg_logical_emit_message(false, 'grüße', 'größer 𝒳');
INSERT INTO t VALUES (5, 'a', 1);
--@ stopped
SELECT pg_logical_emit_message(false, 'pfx', 'while both are stopped');
SELECT pg_logical_emit_message(true, 'pfx', 'while both are stopped');
INSERT INTO t VALUES (6, 'a', 1);
