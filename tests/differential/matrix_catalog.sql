-- Types that Postgres sends as a number and prints as a name of its catalog, and one whose binary form only its extension reads.
CREATE EXTENSION cube;
CREATE TABLE names (id int PRIMARY KEY, class regclass, sorting regcollation, config regconfig, dictionary regdictionary, namespace regnamespace, oper regoper, operator regoperator,
    proc regproc, procedure regprocedure, role regrole, type regtype, room cube,
    class_list regclass[], sorting_list regcollation[], config_list regconfig[], dictionary_list regdictionary[], namespace_list regnamespace[], oper_list regoper[], operator_list regoperator[],
    proc_list regproc[], procedure_list regprocedure[], role_list regrole[], type_list regtype[], room_list cube[]);
INSERT INTO names VALUES (1, 'pg_class', '"C"', 'english', 'simple', 'public', '|/', '+(int4,int4)', 'now', 'abs(int4)', 'postgres', 'int4', '(1,2),(3,4)',
    '{pg_class}', '{"\"C\""}', '{english}', '{simple}', '{public}', '{|/}', '{"+(int4,int4)"}', '{now}', '{abs(int4)}', '{postgres}', '{int4}', '{"(1,2)"}');
INSERT INTO names (id) VALUES (2);
--@ streaming
CREATE TEMP TABLE again AS TABLE names;
UPDATE again SET id = id + 10;
INSERT INTO names TABLE again;
UPDATE names SET id = id WHERE id = 11;
DELETE FROM names WHERE id = 11;
