-- Keys that are given another form of the same value.
CREATE TABLE n (id numeric PRIMARY KEY, a text);
CREATE TABLE f (id double precision PRIMARY KEY, a text);
CREATE TABLE d (id interval PRIMARY KEY, a text);
CREATE TABLE z (id timetz PRIMARY KEY, a text);
CREATE TABLE s (id timestamp PRIMARY KEY, a text);
ALTER TABLE s REPLICA IDENTITY FULL;
CREATE TABLE c (a int, id numeric(8, 2), PRIMARY KEY (id, a));
INSERT INTO n VALUES (1.0, 'a');
INSERT INTO f VALUES (0.0, 'a');
INSERT INTO d VALUES ('1 day', 'a');
INSERT INTO z VALUES ('12:00+00', 'a');
INSERT INTO s VALUES ('2024-01-01 00:00:00.123456', 'a');
INSERT INTO c VALUES (1, 1.5);
--@ streaming
UPDATE n SET id = 1.00;
UPDATE n SET id = 1.000, a = 'b';
UPDATE n SET id = 1.001;
UPDATE f SET id = -0.0;
UPDATE d SET id = '24:00:00';
UPDATE d SET id = '25:00:00';
UPDATE z SET id = '13:00+01';
UPDATE s SET id = '2024-01-01 00:00:00.123457';
UPDATE s SET id = '2024-01-01 00:00:00.124457';
UPDATE c SET id = 1.50;
UPDATE c SET id = 1.51;
