-- Which tables are captured.
CREATE SCHEMA inventory;
CREATE TABLE inventory.items (id int PRIMARY KEY);
CREATE TABLE inventory.orders (id int PRIMARY KEY);
CREATE TABLE public.items (id int PRIMARY KEY);
INSERT INTO inventory.items VALUES (1);
INSERT INTO inventory.orders VALUES (1);
INSERT INTO public.items VALUES (1);
--@ streaming
INSERT INTO inventory.items VALUES (2);
INSERT INTO inventory.orders VALUES (2);
INSERT INTO public.items VALUES (2);
