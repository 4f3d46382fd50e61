-- Slots that were moved while both connectors were stopped, and are trusted: what they were moved past is left out.
CREATE TABLE t (id int PRIMARY KEY);
INSERT INTO t VALUES (1);
--@ streaming
INSERT INTO t VALUES (2);
--@ stopped
INSERT INTO t VALUES (3);
SELECT pg_replication_slot_advance(slot_name, pg_current_wal_insert_lsn()) FROM pg_replication_slots WHERE database = current_database();
INSERT INTO t VALUES (4);
