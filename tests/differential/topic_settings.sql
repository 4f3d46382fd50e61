-- Topics are made as Connect's topic.creation properties say.
CREATE TABLE t (id int PRIMARY KEY, a text);
CREATE TABLE log_entries (id int PRIMARY KEY, a text);
INSERT INTO t VALUES (1, 'a');
--@ streaming
INSERT INTO log_entries VALUES (1, 'a');
