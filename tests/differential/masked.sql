-- Columns that are masked, hashed, cut and left out.
CREATE TABLE t (id int PRIMARY KEY, secret text, hashme varchar(20), hash2 varchar(20), cut text, gone text, keep text);
INSERT INTO t VALUES (1, 'topsecret', 'test', 'test', 'abcdef', 'gone', 'keep');
--@ streaming
INSERT INTO t VALUES (2, NULL, NULL, NULL, 'é漢字x', 'gone', 'keep');
UPDATE t SET secret = 'x', cut = 'ab' WHERE id = 1;
