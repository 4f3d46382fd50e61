-- Replica identities that the connectors set when they start.
CREATE TABLE t (id int PRIMARY KEY, a text, b int NOT NULL);
CREATE TABLE u (id int PRIMARY KEY, a text, b int NOT NULL);
CREATE UNIQUE INDEX u_b ON u (id, b);
CREATE TABLE v (id int PRIMARY KEY, a text);
INSERT INTO t VALUES (1, 'a', 1);
INSERT INTO u VALUES (1, 'a', 1);
INSERT INTO v VALUES (1, 'a');
--@ streaming
UPDATE t SET a = 'b';
UPDATE u SET a = 'b';
UPDATE u SET b = 2;
UPDATE v SET a = 'b';
DELETE FROM t;
DELETE FROM u;
DELETE FROM v;
