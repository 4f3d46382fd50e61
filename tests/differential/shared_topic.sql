-- Tables that share a topic by the regular expression of a naming strategy, one of them without a key.
CREATE TABLE orders_1 (id int PRIMARY KEY, a text);
CREATE TABLE orders_2 (id int PRIMARY KEY, a text);
CREATE TABLE "other é" (a text);
INSERT INTO orders_1 VALUES (1, 'a');
--@ streaming
INSERT INTO orders_1 VALUES (2, 'b');
INSERT INTO orders_2 VALUES (2, 'c');
INSERT INTO "other é" VALUES ('d');
UPDATE orders_1 SET id = 3 WHERE id = 1;
DELETE FROM orders_2 WHERE id = 2;
