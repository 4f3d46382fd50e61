//! Every type in every mode: the same from snapshot and stream, and what Debezium sent for it.
//!
//! `golden/zoo.json` holds a table of nearly every type, and for each mode the schema and the value that
//! Debezium 3.6 sent through Kafka's JSON converter; where its stream differed from its snapshot, both.

use serde_json::{Value as Json, json};
use sluice_core::change::Change;
use sluice_core::value::Value;

use crate::connect_json::{schema_json, value_json};
use crate::harness::{Database, change, codes};

/// The recordings.
struct Zoo(Json);

/// What one column is to be.
struct Expected {
    schema: Json,
    snapshot: Json,
    stream: Json,
}

impl Zoo {
    fn read() -> Self {
        Self(serde_json::from_str(include_str!("../golden/zoo.json")).unwrap())
    }

    fn text(json: &Json) -> &str {
        json.as_str().expect("a text")
    }

    fn table(&self) -> Vec<&Json> {
        self.0["table"].as_array().expect("a list").iter().collect()
    }

    fn names(&self) -> Vec<&str> {
        self.table().into_iter().map(|column| Self::text(&column["column"])).collect()
    }

    fn modes(&self) -> Vec<&Json> {
        self.0["modes"].as_array().expect("a list").iter().collect()
    }

    fn insert(&self, id: i32) -> String {
        let values: Vec<_> = self.table().into_iter().map(|column| Self::text(&column["insert"])).collect();
        format!(
            "INSERT INTO zoo VALUES ({id}, {}); INSERT INTO zoo (id) VALUES ({})",
            values.join(", "),
            id + 1
        )
    }

    fn statements(&self) -> String {
        let setup: Vec<_> = self.0["setup"].as_array().expect("a list").iter().map(Self::text).collect();
        let column =
            |column: &Json| format!("{} {}", Self::text(&column["column"]), Self::text(&column["type"]));
        let columns: Vec<_> = self.table().into_iter().map(column).collect();
        let table = format!("CREATE TABLE zoo (id int PRIMARY KEY, {})", columns.join(", "));
        format!("{}; {table}", setup.join("; "))
    }

    /// What Debezium had of a column in a mode; none where it had no such column.
    fn recorded(&self, mode: &Json, column: &str) -> Option<Expected> {
        let own = mode["columns"].get(column);
        let cell = own.unwrap_or_else(|| &self.0["modes"][0]["columns"][column]);
        let value = cell.get("value")?.clone();
        let stream = cell.get("stream").cloned().unwrap_or_else(|| value.clone());
        Some(Expected { schema: cell["schema"].clone(), snapshot: value, stream })
    }

    /// What is right: as recorded, but for what Debezium loses.
    fn correct(&self, mode: &Json, column: &str) -> Option<Expected> {
        let mut expected = self.recorded(mode, column)?;
        let schema = &expected.schema;
        let value = match column {
            "a_int2d" => return None,
            "c_numeric_3_m2" if schema["type"] == "bytes" => {
                expected.schema["parameters"] = json!({ "scale": "0", "connect.decimal.precision": "5" });
                json!("MAw=")
            }
            "c_numeric_3_m2" if schema["type"] == "string" => json!("12300"),
            "a_time" => match schema["items"]["name"].as_str().and_then(|name| name.rsplit('.').next()) {
                Some("MicroTime") => json!([47_655_123_456_i64]),
                Some("NanoTime") => json!([47_655_123_456_000_i64]),
                Some("IsoTime") => json!(["13:14:15.123456Z"]),
                _ => expected.snapshot,
            },
            _ => expected.snapshot,
        };
        Some(Expected { schema: expected.schema, snapshot: value.clone(), stream: value })
    }
}

fn options(mode: &Json) -> Vec<(&str, &str)> {
    let options = mode["options"].as_object().expect("a map");
    options.iter().map(|(key, value)| (key.as_str(), Zoo::text(value))).collect()
}

/// Compares a row by name; columns that are not expected must not be there.
fn compare(change: &Change, names: &[&str], place: &str, expected: impl Fn(&str) -> Option<(Json, Json)>) {
    let row = change.after.as_ref().expect("there is a row");
    for name in names {
        let field = change.schema.row.field_index(name);
        match (field, expected(name)) {
            (None, None) => {}
            (Some(field), Some((schema, value))) => {
                let own = &change.schema.row.fields()[field];
                assert_eq!(schema_json(&own.schema, Some(&own.name)), schema, "{place}: schema of {name}");
                assert_eq!(value_json(&row[field]), value, "{place}: value of {name}");
            }
            (found, expected) => {
                panic!("{place}: {name} is there: {}, expected: {}", found.is_some(), expected.is_some())
            }
        }
    }
}

/// Reads the zoo in a mode, from the snapshot and from the stream, and compares both.
async fn visit(
    database: &Database,
    zoo: &Zoo,
    mode: &Json,
    more: &[(&str, &str)],
    expected: impl Fn(&str) -> Option<Expected>,
) {
    let name = Zoo::text(&mode["mode"]);
    database.run(&format!("TRUNCATE zoo; {}", zoo.insert(1))).await;
    let options = [options(mode), more.to_vec(), vec![("slot.drop.on.stop", "true")]].concat();
    let mut reader = database.open(&options).await;
    let snapshot = reader.snapshot().await;
    database.run(&zoo.insert(11)).await;
    let streamed = reader.records(2).await;
    reader.close().await;

    assert_eq!((codes(&snapshot), codes(&streamed)), ("rr".to_owned(), "cc".to_owned()));
    assert_eq!(change(&snapshot[0]).schema, change(&streamed[0]).schema);
    let names = zoo.names();
    compare(change(&snapshot[0]), &names, &format!("snapshot, {name}"), |name| {
        expected(name).map(|expected| (expected.schema, expected.snapshot))
    });
    compare(change(&streamed[0]), &names, &format!("stream, {name}"), |name| {
        expected(name).map(|expected| (expected.schema, expected.stream))
    });
    for empty in [&snapshot[1], &streamed[1]] {
        assert!(change(empty).after.as_ref().unwrap()[1..].iter().all(Value::is_null));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_and_stream_yield_what_postgres_holds_in_every_mode() {
    let zoo = Zoo::read();
    let database = Database::new("zoo_correct", &zoo.statements()).await;
    for mode in zoo.modes() {
        let correct = |name: &str| zoo.correct(mode, name);
        let out = zoo.names().into_iter().filter(|name| correct(name).is_none());
        let out: Vec<_> = out.map(|name| format!("public.zoo.{name}")).collect();
        visit(&database, &zoo, mode, &[("column.exclude.list", &out.join(","))], correct).await;
    }
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshot_and_stream_yield_what_debezium_sent_where_that_is_asked_for() {
    let zoo = Zoo::read();
    let database = Database::new("zoo_debezium", &zoo.statements()).await;
    for mode in zoo.modes() {
        let recorded = |name: &str| zoo.recorded(mode, name);
        visit(&database, &zoo, mode, &[("compatibility", "debezium")], recorded).await;
    }
    database.remove().await;
}
