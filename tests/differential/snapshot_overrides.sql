-- Rows of a snapshot that the user's own statements read.
CREATE TABLE t (id int PRIMARY KEY, a text, n numeric(6,2), at timestamptz, j jsonb);
CREATE TABLE u (id int PRIMARY KEY, a text);
INSERT INTO t SELECT i, 'row ' || i, i + 0.5, '2026-01-01 12:00:00+00', '{"a": 1}' FROM generate_series(1, 5) i;
INSERT INTO u VALUES (1, 'a'), (2, 'b');
--@ streaming
INSERT INTO t VALUES (9, 'z', 1, NULL, NULL);
INSERT INTO u VALUES (9, 'z');
