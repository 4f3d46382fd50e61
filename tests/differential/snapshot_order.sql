-- The order of tables in a snapshot: that of the include list's patterns, then that of the names.
CREATE SCHEMA b;
CREATE TABLE b."Z" (id int PRIMARY KEY);
CREATE TABLE b.a (id int PRIMARY KEY);
CREATE TABLE public.t (id int PRIMARY KEY);
CREATE TABLE public.u (id int PRIMARY KEY);
CREATE TABLE public."Ünder" (id int PRIMARY KEY);
INSERT INTO b."Z" VALUES (1), (2), (3);
INSERT INTO b.a VALUES (1), (2);
INSERT INTO public.t VALUES (1);
INSERT INTO public.u VALUES (1), (2), (3), (4);
INSERT INTO public."Ünder" VALUES (1), (2);
--@ streaming
INSERT INTO public.t VALUES (9);
