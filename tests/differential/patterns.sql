-- Lists of regular expressions in Java's words: look-around, a comma in a quantifier, classes that are of ASCII, spaces, capitals.
CREATE TABLE orders (id int PRIMARY KEY, a text);
CREATE TABLE orders_old (id int PRIMARY KEY, a text);
CREATE TABLE tmp_orders (id int PRIMARY KEY, a text);
CREATE TABLE t7 (id int PRIMARY KEY, a text);
CREATE TABLE t77 (id int PRIMARY KEY, a text);
CREATE TABLE t777 (id int PRIMARY KEY, a text);
CREATE TABLE "größe" (id int PRIMARY KEY, a text);
CREATE TABLE "Mixed Case" (id int PRIMARY KEY, a text);
INSERT INTO orders VALUES (1, 'a');
INSERT INTO orders_old VALUES (1, 'a');
INSERT INTO tmp_orders VALUES (1, 'a');
INSERT INTO t7 VALUES (1, 'a');
INSERT INTO t77 VALUES (1, 'a');
INSERT INTO t777 VALUES (1, 'a');
INSERT INTO "größe" VALUES (1, 'a');
INSERT INTO "Mixed Case" VALUES (1, 'a');
--@ streaming
UPDATE orders SET a = 'b';
UPDATE orders_old SET a = 'b';
UPDATE tmp_orders SET a = 'b';
UPDATE t7 SET a = 'b';
UPDATE t77 SET a = 'b';
UPDATE t777 SET a = 'b';
UPDATE "größe" SET a = 'b';
UPDATE "Mixed Case" SET a = 'b';
