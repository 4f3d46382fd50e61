-- A snapshot of fewer tables than are captured.
CREATE TABLE t (id int PRIMARY KEY, a text);
CREATE TABLE u (id int PRIMARY KEY, a text);
CREATE TABLE v (id int PRIMARY KEY, a text);
INSERT INTO t VALUES (1, 'a');
INSERT INTO u VALUES (1, 'a'), (2, 'b');
INSERT INTO v VALUES (1, 'a');
--@ streaming
INSERT INTO t VALUES (9, 'z');
INSERT INTO u VALUES (9, 'z');
INSERT INTO v VALUES (9, 'z');
