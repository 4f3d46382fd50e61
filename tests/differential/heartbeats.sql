-- Heartbeats: after a snapshot, among rows and when idle; a statement that is run with each.
CREATE TABLE t (id int PRIMARY KEY, a text);
CREATE TABLE beats (id int PRIMARY KEY, at timestamptz);
INSERT INTO t VALUES (1, 'found by the snapshot');
--@ streaming
INSERT INTO t VALUES (2, 'streamed');
UPDATE t SET a = 'again' WHERE id = 2;
--@ stopped
INSERT INTO t VALUES (3, 'while both are stopped');
