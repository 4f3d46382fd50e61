//! Text made from binary forms, against the text that Postgres itself prints.

use serde_json::Value as Json;
use sluice_core::record::Record;
use sluice_core::value::Value;

use crate::harness::{Database, change};

/// Types and values whose text the source makes; the server is asked what it should be.
const PRINTED: [(&str, &str); 56] = [
    ("int4range", "'(,)'"),
    ("int8range", "'[1000,6000)'"),
    ("numrange", "'[-1.50,NaN]'"),
    ("tsrange", "'[\"2019-03-31 15:30:00\",infinity)'"),
    ("tstzrange", "'[\"0044-03-15 12:00:00.5+00 BC\",\"294276-12-31 23:59:59.999999+00\"]'"),
    ("daterange", "'[2019-03-31,2019-04-30)'"),
    ("daterange", "'[0001-01-01 BC,infinity]'"),
    ("int4range", "'empty'"),
    ("int4range[]", "'{\"[1,6)\",NULL,empty}'"),
    ("tsvector", "'fox:4 it''s:2A,5B back\\\\slash:7C'"),
    ("tsvector", "''"),
    ("tsquery", "'(cat | !dog:A) & fox:*B'"),
    ("tsquery", "'a <-> (b <2> c) & !(d | e)'"),
    ("tsquery", "'(a <-> b) <-> c | !!d'"),
    ("tsquery", "''"),
    ("pg_lsn", "'16/B374D848'"),
    ("pg_snapshot", "'10:20:10,14,15'"),
    ("xid", "'4294967295'"),
    ("xid8", "'18446744073709551615'"),
    ("tid", "'(42,7)'"),
    ("jsonpath", "'$.a[*] ? (@ > 1)'"),
    ("vectors", "ROW('1 -2 3', '1 4294967295')"),
    ("int4multirange", "'{[1,3),[5,7)}'"),
    ("int4multirange", "'{}'"),
    ("tsmultirange", "'{[\"2024-01-01 00:00:00\",\"2024-01-02 00:00:00\")}'"),
    ("floatrange", "'[1.5,1e300)'"),
    ("textrange", "'[\"a b\",\"c\\\"d\")'"),
    ("pair", "ROW(7, 'x y', NULL)"),
    ("pair", "ROW(-1, '', ARRAY['a,b', NULL, 'NULL', '', E'q\"\\\\', '{x}'])"),
    ("nested", "ROW(ROW(1, '(a)', NULL), ARRAY[ROW(2, 'b', '{c}')::pair])"),
    (
        "everything",
        "ROW(true, -3, 9000000000, 1.5, -2.25e-7, '-12.3400', '$1,234.56', 'x', '\\xdead', B'1010')",
    ),
    ("everything", "ROW(false, 0, 0, 'NaN', '-Infinity', 'NaN', '-$0.01', ' ', '\\x', B'')"),
    ("everything", "ROW(false, 0, 0, 1e6, 1e15, '1e20', '$0', NULL, '\\x00', B'0')"),
    ("everything", "ROW(false, 0, 0, 123456, 123456789012345, '0.000001', '$0', NULL, NULL, NULL)"),
    (
        "times",
        "ROW('2024-02-29', '13:14:15.5', '13:14:15.123456+05:30', '2024-02-29 13:14:15', '2024-02-29 13:14:15.1+02', '1 year 2 mons -3 days 04:05:06.789')",
    ),
    ("times", "ROW('0044-03-15 BC', '24:00:00', '00:00:00-15:59:59', 'infinity', '-infinity', '-1 mons')"),
    ("times", "ROW('infinity', '00:00', '24:00:00+00', '0044-03-15 12:00:00 BC', '9999-12-31', '0')"),
    ("times", "ROW('5874897-12-31', '00:00', '00:00+00', '294276-12-31', '0001-01-01', '-100:00:00.000001')"),
    (
        "places",
        "ROW('192.168.1.5/24', '10.1.0.0/16', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{\"a\": [1]}', '{\"a\":1}', '<a/>')",
    ),
    (
        "figures",
        "ROW('(1.5,-2)', '{1,2,3}', '[(0,0),(1,1)]', '(2,2),(0,0)', '[(0,0),(1,1e20)]', '((0,0),(1,1))', '<(1,2),3>')",
    ),
    ("figures", "ROW('(1e-7,0)', NULL, NULL, NULL, '((0,0),(1,1))', NULL, NULL)"),
    (
        "words",
        "ROW('a=>1, b=>NULL, \"c d\"=>\"x\\\"y\"', 'Top.Science', 'Top.*', 'Science & !Top', 'Ci', 'sad', 'é漢😀', 'named')",
    ),
    ("box[]", "'{(2,2),(0,0);(1,1),(0,0)}'"),
    ("pg_lsn[]", "'{16/B374D848,0/0}'"),
    ("pair[]", "ARRAY[ROW(1, 'a b', NULL)]::pair[]"),
    ("positive", "5"),
    ("positive[]", "'{1,2}'"),
    ("int4multirange[]", "'{\"{[1,3)}\"}'"),
    ("ean13", "'978-0-306-40615-7'"),
    ("isbn", "'978-0-393-04002-9'"),
    ("lseg", "'[(0.5,0),(1,1)]'"),
    ("circle", "'<(1,2),3e10>'"),
    ("line", "'{0.0001,-1,0}'"),
    ("box", "'(2,2),(0.25,0)'"),
    ("polygon", "'((0,0),(1,1),(2,0))'"),
    ("path", "'[(0,0),(1,1),(2,0)]'"),
];

const TYPES: &str = "CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION citext; CREATE EXTENSION isn;
    CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN positive AS int CHECK (value > 0);
    CREATE TYPE floatrange AS RANGE (subtype = float8); CREATE TYPE textrange AS RANGE (subtype = text);
    CREATE TYPE pair AS (a int, b text, c text[]); CREATE TYPE nested AS (a pair, b pair[]);
    CREATE TYPE everything AS (a bool, b int2, c int8, d float4, e float8, f numeric, g money, h \"char\", i bytea, j varbit);
    CREATE TYPE times AS (a date, b time, c timetz, d timestamp, e timestamptz, f interval);
    CREATE TYPE places AS (a inet, b cidr, c macaddr, d macaddr8, e uuid, f json, g jsonb, h xml);
    CREATE TYPE figures AS (a point, b line, c lseg, d box, e path, f polygon, g circle);
    CREATE TYPE vectors AS (a int2vector, b oidvector);
    CREATE TYPE words AS (a hstore, b ltree, c lquery, d ltxtquery, e citext, f mood, g text, h name);";

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Bytes(bytes) => String::from_utf8(bytes.to_vec()).unwrap(),
        Value::Int32(number) => number.to_string(),
        other => panic!("{} is no text", other.type_name()),
    }
}

/// The elements of an array, nulls left out.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().filter(|value| !value.is_null()).map(text).collect(),
        value => vec![text(value)],
    }
}

/// What the server prints; for an array, of each element.
async fn printed(database: &Database, place: usize, type_name: &str) -> Vec<String> {
    database.run("SET TimeZone = 'UTC'; SET lc_monetary = 'C'").await;
    let query = if type_name.ends_with("[]") {
        let element = format!("c{place}[i]::text");
        format!(
            "SELECT json_agg({element})::text FROM t, generate_subscripts(c{place}, 1) AS i \
             WHERE id = 1 AND {element} IS NOT NULL"
        )
    } else {
        format!("SELECT json_build_array(c{place}::text)::text FROM t WHERE id = 1")
    };
    let texts: Json = serde_json::from_str(&database.text(&query).await).unwrap();
    texts.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn check(records: &[Record], place: usize, expected: &[String]) {
    let (type_name, value) = PRINTED[place];
    // Debezium's driver prints figures with Java's numbers, which have tests of their own.
    let figure = ["lseg", "circle", "line", "box", "polygon", "path", "box[]"].contains(&type_name);
    for record in records {
        let shown = texts(&change(record).after.as_ref().unwrap()[place + 1]);
        if figure {
            let plain = |text: &String| {
                text.replace(".0", "").replace("3E10", "30000000000").replace("1E-4", "0.0001")
            };
            assert_eq!(shown.iter().map(plain).collect::<Vec<_>>(), expected, "{type_name} {value}");
        } else {
            assert_eq!(shown, expected, "{type_name} {value}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn text_made_from_binary_forms_is_that_of_postgres() {
    let columns: Vec<_> =
        PRINTED.iter().enumerate().map(|(place, (type_name, _))| format!("c{place} {type_name}")).collect();
    let values: Vec<_> = PRINTED.iter().map(|(_, value)| *value).collect();
    let (columns, values) = (columns.join(", "), values.join(", "));
    // Elements without binary form cannot be sent at all, so `isbn[]` is not among these.
    let table = format!(
        "SET TimeZone = 'UTC'; SET lc_monetary = 'C'; {TYPES} CREATE TABLE t (id int PRIMARY KEY, {columns}); INSERT INTO t VALUES (1, {values})"
    );
    let database = Database::new("printed", &table).await;
    let mut reader = database.open(&[("include.unknown.datatypes", "true")]).await;
    let mut records = reader.snapshot().await;
    database.run(&format!("INSERT INTO t VALUES (2, {values})")).await;
    records.extend(reader.records(1).await);

    for (place, (type_name, _)) in PRINTED.iter().enumerate() {
        check(&records, place, &printed(&database, place, type_name).await);
    }
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn types_that_postgres_cannot_send_are_refused_with_the_way_out() {
    let table = "CREATE EXTENSION isn; CREATE TABLE t (id int PRIMARY KEY, codes isbn[])";
    let database = Database::new("unsendable", table).await;
    database.run("CREATE PUBLICATION sluice_source_unsendable FOR ALL TABLES").await;

    let faults = database
        .check(&[("include.unknown.datatypes", "true"), ("column.exclude.list", "public.t.codes")])
        .await;

    let found: Vec<_> = faults.iter().map(|fault| fault.code).collect();
    assert!(found.contains(&"postgres.unsendable_type"), "{faults:?}");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_types_are_refused_by_name_until_they_are_asked_for() {
    let table = "CREATE TABLE t (id int PRIMARY KEY, place pg_lsn, spans int4multirange)";
    let database = Database::new("unknown", table).await;
    database.run("CREATE PUBLICATION sluice_source_unknown FOR ALL TABLES").await;

    let faults = database.check(&[]).await;
    let unknown = faults.iter().find(|fault| fault.code == "postgres.unknown_type").expect("a fault");
    assert!(unknown.message.contains("`place`") && unknown.message.contains("pg_lsn"), "{unknown:?}");
    let asked = database.check(&[("include.unknown.datatypes", "true")]).await;
    assert!(asked.iter().all(|fault| fault.code != "postgres.unknown_type"), "{asked:?}");
    database.remove().await;
}
