-- Names with capitals, spaces, dots, digits first and letters that are not ASCII.
CREATE SCHEMA "My.Schema";
CREATE TABLE "My.Schema"."Tab le-1" ("Id" int PRIMARY KEY, "1st" text, "a-b" text, "sp ace" text, "naïve" text);
CREATE TABLE public."Café漢" (id int PRIMARY KEY);
INSERT INTO "My.Schema"."Tab le-1" VALUES (1, 'a', 'b', 'c', 'd');
INSERT INTO public."Café漢" VALUES (1);
--@ streaming
INSERT INTO "My.Schema"."Tab le-1" VALUES (2, 'a', 'b', 'c', 'd');
INSERT INTO public."Café漢" VALUES (2);
