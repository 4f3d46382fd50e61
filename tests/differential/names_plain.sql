-- Names with capitals and underscores, two of which differ in case only.
CREATE SCHEMA "Sales";
CREATE TABLE "Sales"."Order_Items" ("Id" int PRIMARY KEY, "Value" text, value_2 text);
INSERT INTO "Sales"."Order_Items" VALUES (1, 'a', 'b');
--@ streaming
INSERT INTO "Sales"."Order_Items" VALUES (2, 'a', 'b');
UPDATE "Sales"."Order_Items" SET "Value" = 'c' WHERE "Id" = 1;
DELETE FROM "Sales"."Order_Items" WHERE "Id" = 1;
