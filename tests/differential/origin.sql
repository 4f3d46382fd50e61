-- Transactions that say where they were made first.
CREATE TABLE t (id int PRIMARY KEY, a text);
--@ streaming
SELECT pg_replication_origin_create(current_database());
SELECT pg_replication_origin_session_setup(current_database());
INSERT INTO t VALUES (1, 'no position there');
BEGIN;
SELECT pg_replication_origin_xact_setup('1/2345', '2020-02-03 04:05:06.789012+00');
INSERT INTO t VALUES (2, 'a');
UPDATE t SET id = 3 WHERE id = 2;
COMMIT;
SELECT pg_replication_origin_session_reset();
INSERT INTO t VALUES (4, 'from here');
--@ stopped
SELECT pg_replication_origin_session_setup(current_database());
BEGIN;
SELECT pg_replication_origin_xact_setup('2/3456', '2020-02-03 04:05:06.789012+00');
DELETE FROM t WHERE id = 3;
COMMIT;
SELECT pg_replication_origin_session_reset();
--@ streaming
SELECT pg_replication_origin_drop(current_database());
