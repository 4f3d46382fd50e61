-- Keys whose columns are regular expressions, in any case, in several entries for one table; the dot may be any character.
CREATE TABLE orders (id int, "order_ID" int NOT NULL, paid int NOT NULL, note text);
CREATE TABLE lines (id int PRIMARY KEY, order_id int NOT NULL, line_id int NOT NULL);
CREATE TABLE others (id int PRIMARY KEY, paid int NOT NULL);
ALTER TABLE orders REPLICA IDENTITY FULL;
ALTER TABLE lines REPLICA IDENTITY FULL;
ALTER TABLE others REPLICA IDENTITY FULL;
INSERT INTO orders VALUES (1, 2, 3, 'a');
INSERT INTO lines VALUES (1, 2, 3);
INSERT INTO others VALUES (1, 2);
--@ streaming
UPDATE orders SET note = 'b';
UPDATE lines SET order_id = 7;
DELETE FROM lines;
INSERT INTO others VALUES (5, 6);
