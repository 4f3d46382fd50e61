-- Identity and serial columns.
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, s serial, b bigserial, x smallserial, a text);
INSERT INTO t (a) VALUES ('a');
--@ streaming
INSERT INTO t (a) VALUES ('b');
DELETE FROM t WHERE a = 'a';
