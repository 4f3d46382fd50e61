-- A default that makes ids of time.
--@ postgres 18-
CREATE TABLE t (id uuid PRIMARY KEY DEFAULT uuidv7(), a text);
INSERT INTO t VALUES ('01976f43-9c3e-7b3d-8a4e-0f9a1b2c3d4e', 'a');
--@ streaming
INSERT INTO t (a) VALUES ('b');
