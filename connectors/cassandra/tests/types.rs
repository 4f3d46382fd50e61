//! Values of every type against a real Cassandra: what was written reads back.

mod support;

use bytes::Bytes;
use sluice_core::{
    Schema, SchemaRef, Value,
    change::Operation,
    schema::{Field, Kind, connect, debezium},
    value::Struct,
};
use support::{Keyspace, Source, write, write_all};

/// A column: name, schema, value, CQL type (none: as created), and how CQL shows it.
struct Case {
    name: &'static str,
    schema: Schema,
    value: Value,
    cql: Option<&'static str>,
    shown: &'static str,
}

fn case(name: &'static str, schema: Schema, value: impl Into<Value>, shown: &'static str) -> Case {
    Case { name, schema: schema.optional(), value: value.into(), cql: None, shown }
}

fn into(mut case: Case, cql: &'static str) -> Case {
    case.cql = Some(cql);
    case
}

fn kind(kind: Kind) -> Schema {
    Schema::new(kind)
}

fn long(name: &str) -> Schema {
    kind(Kind::Int64).named(name)
}

fn string(name: &str) -> Schema {
    kind(Kind::String).named(name)
}

fn array(element: Schema) -> Schema {
    kind(Kind::Array(element.optional().shared()))
}

fn decimal(scale: &str) -> Schema {
    kind(Kind::Bytes).named(connect::DECIMAL).with_parameter("scale", scale)
}

fn scalars() -> Vec<Case> {
    vec![
        case("bool", kind(Kind::Boolean), Value::Boolean(true), "true"),
        case("int8", kind(Kind::Int8), Value::Int8(-8), "-8"),
        case("int16", kind(Kind::Int16), Value::Int16(-16), "-16"),
        case("int32", kind(Kind::Int32), Value::Int32(i32::MIN), "-2147483648"),
        case("int64", kind(Kind::Int64), Value::Int64(i64::MAX), "9223372036854775807"),
        into(case("wide", kind(Kind::Int16), Value::Int16(-3), "-3"), "bigint"),
        into(case("varint", kind(Kind::Int64), Value::Int64(-129), "blobAsVarint(0xff7f)"), "varint"),
        case("float32", kind(Kind::Float32), Value::Float32(1.5), "1.5"),
        case("float64", kind(Kind::Float64), Value::Float64(-2.5), "-2.5"),
        case("text", kind(Kind::String), "Σ '\u{0}", "'Σ ''\u{0}'"),
        into(case("ascii", kind(Kind::String), "plain", "'plain'"), "ascii"),
        case("bytes", kind(Kind::Bytes), Value::Bytes(Bytes::from_static(&[0, 255])), "0x00ff"),
        case("bits", kind(Kind::Bytes).named(debezium::BITS), Value::Bytes(Bytes::new()), "0x"),
        case("json", string(debezium::JSON), "{\"a\":1}", "'{\"a\":1}'"),
        case("enum", string(debezium::ENUM), "red", "'red'"),
        case(
            "uuid",
            string(debezium::UUID),
            "0d8f7c1e-5a3b-4c2d-9e8f-001122334455",
            "0d8f7c1e-5a3b-4c2d-9e8f-001122334455",
        ),
        into(case("inet", kind(Kind::String), "10.1.2.3", "'10.1.2.3'"), "inet"),
    ]
}

fn numbers_and_times() -> Vec<Case> {
    let fields = vec![Field::new("scale", kind(Kind::Int32)), Field::new("value", kind(Kind::Bytes))];
    let variable = Schema::record(debezium::VARIABLE_SCALE_DECIMAL, fields);
    let number = vec![Value::Int32(3), Value::Bytes(Bytes::from_static(&[4, 210]))];
    let number = Struct::new(SchemaRef::new(variable.clone().optional()), number);
    vec![
        case(
            "dec",
            decimal("2"),
            Value::Bytes(Bytes::from_static(&[255, 133])),
            "blobAsDecimal(0x00000002ff85)",
        ),
        case("vardec", variable, number, "blobAsDecimal(0x0000000304d2)"),
        case("date", kind(Kind::Int32).named(debezium::DATE), Value::Int32(-1), "'1969-12-31'"),
        case("time_ms", kind(Kind::Int32).named(debezium::TIME), Value::Int32(1), "'00:00:00.001000000'"),
        case("time_us", long(debezium::MICRO_TIME), Value::Int64(1), "'00:00:00.000001000'"),
        case("time_ns", long(debezium::NANO_TIME), Value::Int64(1), "'00:00:00.000000001'"),
        case("ts_ms", long(debezium::TIMESTAMP), Value::Int64(-1), "'1969-12-31 23:59:59.999+0000'"),
        case("ts_us", long(debezium::MICRO_TIMESTAMP), Value::Int64(-1), "'1969-12-31 23:59:59.999+0000'"),
        case(
            "ts_ns",
            long(debezium::NANO_TIMESTAMP),
            Value::Int64(1_000_001),
            "'1970-01-01 00:00:00.001+0000'",
        ),
        case(
            "tstz",
            string(debezium::ZONED_TIMESTAMP),
            "1970-01-01T00:00:00.001999Z",
            "'1970-01-01 00:00:00.001+0000'",
        ),
        into(
            case("tstz_us", string(debezium::ZONED_TIMESTAMP), "1970-01-01T00:00:00.001999Z", "1999"),
            "bigint",
        ),
        case("timetz", string(debezium::ZONED_TIME), "11:51:02Z", "'11:51:02Z'"),
        case("interval", string(debezium::INTERVAL), "P1M-2D", "'P1M-2D'"),
        into(case("dur", string(debezium::INTERVAL), "P1M2DT3S", "1mo2d3000000000ns"), "duration"),
        into(case("dur_us", long(debezium::MICRO_DURATION), Value::Int64(-5), "0mo0d-5000ns"), "duration"),
    ]
}

fn collections() -> Vec<Case> {
    let ints = || Value::Array(vec![Value::Int32(3), Value::Int32(-1), Value::Int32(3)]);
    let map = Kind::Map { key: kind(Kind::String).shared(), value: kind(Kind::String).optional().shared() };
    let pairs = Value::Map(vec![("b".into(), "2".into()), ("a".into(), "1".into())]);
    let floats = Value::Array(vec![Value::Float64(1.0), Value::Float64(-0.5)]);
    let nested = Value::Array(vec![ints(), Value::Null]);
    vec![
        case("list", array(kind(Kind::Int32)), ints(), "[3,-1,3]"),
        case("empty", array(kind(Kind::Int32)), Value::Array(Vec::new()), "[]"),
        into(case("set_", array(kind(Kind::Int32)), ints(), "{-1,3}"), "frozen<set<int>>"),
        case("map_", kind(map), pairs, "{'a':'1','b':'2'}"),
        into(case("vec", array(kind(Kind::Float64)), floats, "[1,-0.5]"), "vector<float, 2>"),
        case("nested", array(array(kind(Kind::Int32))), nested, "'[[3,-1,3],null]'"),
        case(
            "dates",
            array(kind(Kind::Int32).named(debezium::DATE)),
            Value::Array(vec![Value::Int32(0)]),
            "['1970-01-01']",
        ),
    ]
}

async fn round_trip(test: &str, cases: Vec<Case>) {
    let keyspace = Keyspace::fresh(test).await;
    let own: Vec<_> =
        cases.iter().filter_map(|case| case.cql.map(|cql| format!(", {} {cql}", case.name))).collect();
    keyspace.run(&format!("CREATE TABLE KS.kinds (id int PRIMARY KEY{})", own.concat())).await;
    let columns = cases.iter().map(|case| (case.name, case.schema.clone()));
    let columns = std::iter::once(("id", kind(Kind::Int32))).chain(columns).collect();
    let source = Source::new("kinds", 1, columns);
    let values = std::iter::once(Value::Int32(1)).chain(cases.iter().map(|case| case.value.clone()));
    let values: Vec<_> = values.collect();
    let mut sink = keyspace.sink(&[("schema.policy", "evolve")]).await;

    write_all(&mut sink, &[source.change(Operation::Create, &values, 1000)]).await;
    write_all(&mut sink, &[source.change(Operation::Create, &values, 1000)]).await;

    for case in &cases {
        let rows = keyspace.rows(&format!("SELECT {} FROM KS.kinds", case.name)).await;
        assert_eq!(rows, [case.shown], "{}", case.name);
        let time = keyspace.rows(&format!("SELECT WRITETIME({}) FROM KS.kinds", case.name)).await;
        assert_eq!(time, ["1000"], "write time of {}", case.name);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn scalars_read_back() {
    round_trip("scalars", scalars()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_and_times_read_back() {
    round_trip("times", numbers_and_times()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn collections_read_back() {
    round_trip("collections", collections()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_every_kind_find_their_row_again() {
    let keyspace = Keyspace::fresh("keys").await;
    let columns = vec![
        ("uuid", string(debezium::UUID)),
        ("dec", decimal("2")),
        ("date", kind(Kind::Int32).named(debezium::DATE)),
        ("at", string(debezium::ZONED_TIMESTAMP)),
        ("text", kind(Kind::String)),
        ("note", kind(Kind::String).optional()),
    ];
    let source = Source::new("keyed", 5, columns);
    let row = |unscaled: &'static [u8], note: &str| {
        let uuid = "0d8f7c1e-5a3b-4c2d-9e8f-001122334455";
        let number = Value::Bytes(Bytes::from_static(unscaled));
        [uuid.into(), number, Value::Int32(7), "2020-01-01T00:00:00.000001Z".into(), "".into(), note.into()]
    };
    let mut sink = keyspace.sink(&[("schema.policy", "create")]).await;

    // 1.00 with and without a redundant byte is one key.
    write_all(&mut sink, &[source.change(Operation::Create, &row(&[100], "a"), 1000)]).await;
    write_all(&mut sink, &[source.change(Operation::Update, &row(&[0, 100], "b"), 2000)]).await;
    let shown = keyspace.rows("SELECT dec, at, note FROM KS.keyed").await;
    assert_eq!(shown, ["blobAsDecimal(0x0000000001)|1577836800000001|'b'"]);
    write_all(&mut sink, &[source.tombstone(&row(&[0, 0, 100], ""), 3000)]).await;

    assert_eq!(keyspace.rows("SELECT note FROM KS.keyed").await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_that_readers_would_choke_on_never_arrive() {
    let keyspace = Keyspace::fresh("choke").await;
    let columns = vec![
        ("id", kind(Kind::Int32)),
        ("list", array(kind(Kind::Int32)).optional()),
        ("dec", decimal("2").optional()),
        ("time", long(debezium::MICRO_TIME).optional()),
        ("at", string(debezium::ZONED_TIMESTAMP).optional()),
    ];
    let source = Source::new("choke", 1, columns);
    let bad: [(usize, Value); 4] = [
        (1, Value::Array(vec![Value::Int32(1), Value::Null])),
        (2, Value::Bytes(Bytes::new())),
        (3, Value::Int64(86_400_000_000)),
        (4, "infinity".into()),
    ];
    let records: Vec<_> = bad
        .into_iter()
        .map(|(column, value)| {
            let mut row =
                vec![Value::Int32(column as i32), Value::Null, Value::Null, Value::Null, Value::Null];
            row[column] = value;
            source.change(Operation::Create, &row, 1000)
        })
        .collect();
    let mut sink = keyspace.sink(&[("schema.policy", "create")]).await;

    let flushed = write(&mut sink, &records).await.unwrap();

    let codes: Vec<_> = flushed.rejected.iter().map(|one| one.error.code()).collect();
    let expected = [
        "cassandra.null_in_collection",
        "cassandra.value_form",
        "cassandra.value_range",
        "cassandra.infinity",
    ];
    assert_eq!(codes, expected);
    assert!(flushed.rejected[0].error.hint().unwrap().contains("map the column to text"));
    assert_eq!(keyspace.rows("SELECT id FROM KS.choke").await, Vec::<String>::new());
}
