-- Every array of a type that Postgres has no binary form for.
CREATE EXTENSION isn;
CREATE EXTENSION seg;
CREATE EXTENSION intarray;
CREATE TABLE arrays (id int PRIMARY KEY, rights aclitem[], ean ean13[], book_10 isbn[], book isbn13[], music ismn[], music_13 ismn13[], serial issn[], serial_13 issn13[], product upc[], bounds seg[], integer_query query_int[]);
INSERT INTO arrays VALUES (1, '{postgres=r/postgres}', '{978-0-393-04002-9}', '{978-0-393-04002-9}', '{978-0-393-04002-9}', '{M-706700-00-7}', '{979-0-706700-00-7}', '{1436-4522}', '{977-1436-452-00-8}', '{220356483481}', '{1.5 .. 2.5}', '{1 & 2}');
INSERT INTO arrays (id) VALUES (2);
--@ streaming
INSERT INTO arrays (id) VALUES (11);
