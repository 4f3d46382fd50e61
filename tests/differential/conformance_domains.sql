-- A domain over a bit string, and a domain over a domain.
CREATE DOMAIN varbit3 AS varbit(3);
CREATE DOMAIN money2 AS numeric(8, 2);
CREATE DOMAIN salary AS money2;
CREATE TABLE t (id int PRIMARY KEY, b varbit3, s salary);
--@ streaming
INSERT INTO t VALUES (1, B'101', 7.25);
