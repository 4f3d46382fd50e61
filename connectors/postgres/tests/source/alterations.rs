//! Types that change while the stream runs, as in Debezium's own tests.

use serde_json::{Value as Json, json};
use sluice_core::record::Record;

use crate::connect_json::{schema_json, value_json};
use crate::harness::{Database, Reader, after, change};

/// Schema and value of a column after the change.
fn column(record: &Record, name: &str) -> (Json, Json) {
    let field = change(record).schema.row.field(name).expect("the row has the column");
    (schema_json(&field.schema, None), value_json(after(record, name)))
}

async fn step(database: &Database, reader: &mut Reader, statements: &str) -> Record {
    database.run(statements).await;
    reader.records(1).await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_follow_each_alteration_at_once() {
    let table = "CREATE TABLE t (id serial PRIMARY KEY, v numeric(5, 2))";
    let database = Database::new("alter_numeric", table).await;
    let mut reader = database.open(&[("snapshot.mode", "no_data")]).await;
    let decimal = |(scale, precision): (&str, &str)| {
        let parameters = json!({ "scale": scale, "connect.decimal.precision": precision });
        let name = "org.apache.kafka.connect.data.Decimal";
        json!({ "type": "bytes", "optional": true, "name": name, "version": 1, "parameters": parameters })
    };
    let steps = [
        ("", "123.45", Some(("2", "5")), json!("MDk=")),
        ("numeric(6, 1)", "123.41", Some(("1", "6")), json!("BNI=")),
        ("numeric", "123.4567", None, json!({ "scale": 4, "value": "EtaH" })),
        ("numeric(12, 4)", "2.48", Some(("4", "12")), json!("YOA=")),
        ("numeric(12)", "1238", Some(("0", "12")), json!("BNY=")),
        ("numeric", "1225.1", None, json!({ "scale": 1, "value": "L9s=" })),
    ];
    for (type_name, number, fixed, value) in steps {
        let alter = match type_name {
            "" => String::new(),
            type_name => format!("ALTER TABLE t ALTER v TYPE {type_name};"),
        };
        let insert = format!("{alter} INSERT INTO t (v) VALUES ({number})");
        let (schema, found) = column(&step(&database, &mut reader, &insert).await, "v");
        match fixed {
            Some(fixed) => assert_eq!(schema, decimal(fixed)),
            None => assert_eq!(schema["name"], "io.debezium.data.VariableScaleDecimal"),
        }
        assert_eq!(found, value, "{type_name} {number}");
    }
    let required = "ALTER TABLE t ALTER v SET NOT NULL; INSERT INTO t (v) VALUES (1976)";
    let (schema, value) = column(&step(&database, &mut reader, required).await, "v");
    assert_eq!(schema["name"], "io.debezium.data.VariableScaleDecimal");
    assert_eq!((&schema["optional"], value), (&json!(false), json!({ "scale": 0, "value": "B7g=" })));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enums_show_labels_that_were_added_with_the_row_that_has_them() {
    let database = Database::new("alter_enum", "CREATE TABLE t (id serial PRIMARY KEY)").await;
    let mut reader = database.open(&[("snapshot.mode", "no_data")]).await;

    let create = "CREATE TYPE e AS ENUM ('V1', 'V2'); ALTER TABLE t ADD v e NOT NULL DEFAULT 'V2', ADD w e[];
                  INSERT INTO t (v, w) VALUES ('V1', '{V2,V1}')";
    let record = step(&database, &mut reader, create).await;
    let (schema, value) = column(&record, "v");
    assert_eq!((schema["parameters"]["allowed"].as_str(), value), (Some("V1,V2"), json!("V1")));
    let default = change(&record).schema.row.field("v").unwrap().schema.default.clone();
    assert_eq!(default.map(|default| value_json(&default)), Some(json!("V2")));
    let (schema, value) = column(&record, "w");
    assert_eq!((&schema["items"]["optional"], value), (&json!(false), json!(["V2", "V1"])));

    database.run("ALTER TYPE e ADD VALUE 'V3'").await;
    let record = step(&database, &mut reader, "INSERT INTO t (v) VALUES ('V3')").await;
    let (schema, value) = column(&record, "v");
    assert_eq!((schema["parameters"]["allowed"].as_str(), value), (Some("V1,V2,V3"), json!("V3")));
    reader.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn domains_are_their_bases_from_snapshot_and_stream() {
    let table = "CREATE DOMAIN bits AS varbit(3); CREATE DOMAIN inner_price AS numeric(8, 2);
                 CREATE DOMAIN price AS inner_price; CREATE TABLE t (id serial PRIMARY KEY, b bits, p price);
                 INSERT INTO t (b, p) VALUES (B'101', 123456.78)";
    let database = Database::new("domains", table).await;
    let mut reader = database.open(&[]).await;
    let mut records = reader.snapshot().await;
    records.push(step(&database, &mut reader, "INSERT INTO t (b, p) VALUES (B'101', 123456.78)").await);

    for record in &records {
        let (schema, value) = column(record, "b");
        assert_eq!((schema["parameters"]["length"].as_str(), value), (Some("3"), json!("BQ==")));
        let (schema, value) = column(record, "p");
        assert_eq!((schema["parameters"]["scale"].as_str(), value), (Some("2"), json!("ALxhTg==")));
    }
    reader.close().await;
    database.remove().await;
}
