-- Money: positive, in brackets, NULL, and the least there is.
CREATE TABLE t (id int PRIMARY KEY, v money);
--@ streaming
INSERT INTO t VALUES (1, '$1234.11'), (2, '($1234.11)'), (3, NULL), (4, '-92233720368547758.08');
