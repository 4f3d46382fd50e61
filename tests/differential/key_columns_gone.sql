-- A key by message.key.columns, some or all of which a table lacks.
CREATE TABLE t (id int PRIMARY KEY, a text NOT NULL);
CREATE TABLE u (id int PRIMARY KEY, a text);
INSERT INTO t VALUES (1, 'x');
INSERT INTO u VALUES (1, 'x');
--@ streaming
INSERT INTO t VALUES (2, 'y');
INSERT INTO u VALUES (2, 'y');
UPDATE t SET a = 'z' WHERE id = 2;
