-- hstore with null, with odd keys.
CREATE EXTENSION hstore;
CREATE TABLE t (id int PRIMARY KEY, v hstore);
--@ streaming
INSERT INTO t VALUES (1, '"key" => "val"'), (2, '"key" => NULL'), (3, '"key #1" => "val 1", "k 2" => " ##123 78"');
