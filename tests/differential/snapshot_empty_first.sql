-- A snapshot whose first and last tables are empty.
CREATE SCHEMA a;
CREATE TABLE a.t (id int PRIMARY KEY);
CREATE TABLE public.u (id int PRIMARY KEY, x text);
CREATE TABLE public.v (id int PRIMARY KEY, x text);
INSERT INTO u VALUES (1, 'a'), (2, 'b');
