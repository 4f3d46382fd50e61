-- Transactions over many tables, listed in the order of a Java map.
DO $$ BEGIN
  FOR n IN 1..15 LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY)', n); END LOOP;
END $$;
CREATE TABLE "orders" (id int PRIMARY KEY);
CREATE TABLE "Ä_ö" (id int PRIMARY KEY);
CREATE TABLE "a_much_longer_name_of_a_table" (id int PRIMARY KEY);
--@ streaming
BEGIN;
INSERT INTO "t9" VALUES (1);
INSERT INTO "orders" VALUES (1);
INSERT INTO "t1" VALUES (1);
INSERT INTO "t2" VALUES (1);
COMMIT;
BEGIN;
DO $$ BEGIN
  FOR n IN 1..15 LOOP EXECUTE format('INSERT INTO t%s VALUES (2)', n); END LOOP;
END $$;
INSERT INTO "orders" VALUES (2);
INSERT INTO "Ä_ö" VALUES (2);
INSERT INTO "a_much_longer_name_of_a_table" VALUES (2);
COMMIT;
BEGIN;
INSERT INTO "t9" VALUES (3);
INSERT INTO "orders" VALUES (3);
INSERT INTO "t1" VALUES (3);
INSERT INTO "t2" VALUES (3);
INSERT INTO "Ä_ö" VALUES (3);
COMMIT;
