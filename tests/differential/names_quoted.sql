-- Names with quotes, spaces, points and letters of other scripts, of schemas, tables and columns.
CREATE SCHEMA "Quoted_"" . Schema";
CREATE TABLE "Quoted_"" . Schema"."Quoted_"" . Table" ("Quoted_"" . PK" int PRIMARY KEY, "Quoted_"" . Text Column" text);
CREATE SCHEMA "スキーマ";
CREATE TABLE "スキーマ"."café" (id int PRIMARY KEY, "naïve" text);
--@ streaming
INSERT INTO "Quoted_"" . Schema"."Quoted_"" . Table" VALUES (1, 'some text');
INSERT INTO "スキーマ"."café" VALUES (1, 'é');
