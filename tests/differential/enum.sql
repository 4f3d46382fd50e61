-- An enum, and a label that is added later.
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TABLE t (id int PRIMARY KEY, m mood, n mood NOT NULL DEFAULT 'ok');
INSERT INTO t VALUES (1, 'happy');
INSERT INTO t VALUES (2, NULL, 'sad');
--@ streaming
INSERT INTO t VALUES (3, 'sad');
--@ streaming
ALTER TYPE mood ADD VALUE 'great' AFTER 'ok';
-- Postgres describes a table again only when the table changes: until then the connectors cannot know of the label.
ALTER TABLE t ALTER m SET STATISTICS 50;
INSERT INTO t VALUES (4, 'great', 'great');
DELETE FROM t WHERE id = 1;
