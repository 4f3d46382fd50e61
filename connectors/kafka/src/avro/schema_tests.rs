//! Schemas built by hand: what the recordings do not show.

use std::sync::Arc;

use bytes::Bytes;
use sluice_core::{
    Classify, ErrorClass, Value,
    change::ChangeSchema,
    schema::{Field, Kind, Schema, SchemaRef, connect, debezium},
};

use super::{AvroError, AvroFormat, Decoder, Encoder, NullDefaults, UnavailableValue, parse::from_avro};

fn to_avro(schema: &Schema) -> Result<String, AvroError> {
    super::schema::to_avro(schema, &AvroFormat::default())
}

fn text(name: &str) -> Field {
    Field::new(name, Schema::new(Kind::String))
}

fn optional(name: &str, kind: Kind) -> Field {
    Field::new(name, Schema::new(kind).optional())
}

fn record(fields: Vec<Field>) -> Schema {
    Schema::record("a.b.R", fields)
}

/// The source block of Debezium's Postgres connector.
fn source() -> SchemaRef {
    let snapshot = Schema::new(Kind::String)
        .named(debezium::ENUM)
        .versioned(1)
        .optional()
        .with_parameter(
            "allowed",
            "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental",
        )
        .with_default(Value::from_static("false"));
    let fields = vec![
        text("version"),
        text("connector"),
        text("name"),
        Field::new("ts_ms", Schema::new(Kind::Int64)),
        Field::new("snapshot", snapshot),
        text("db"),
        optional("sequence", Kind::String),
        optional("ts_us", Kind::Int64),
        optional("ts_ns", Kind::Int64),
        text("schema"),
        text("table"),
        optional("txId", Kind::Int64),
        optional("lsn", Kind::Int64),
        optional("xmin", Kind::Int64),
        optional("origin", Kind::String),
        optional("origin_lsn", Kind::Int64),
    ];
    Schema::record("io.debezium.connector.postgresql.Source", fields).versioned(1).shared()
}

/// The envelope of the recorded users table, built as a source builds it.
fn users() -> ChangeSchema {
    let decimal = Schema::new(Kind::Bytes)
        .named(connect::DECIMAL)
        .versioned(1)
        .with_parameter("scale", "2")
        .with_parameter("connect.decimal.precision", "12")
        .optional()
        .with_default(Value::Bytes(Bytes::from_static(&[0])));
    let created = Schema::new(Kind::String)
        .named(debezium::ZONED_TIMESTAMP)
        .versioned(1)
        .with_default("2026-01-01T00:00:00.000000Z".into());
    let mut fields =
        vec![Field::new("id", Schema::new(Kind::Int64).with_default(Value::Int64(0))), text("username")];
    for name in ["email", "first_name", "last_name", "phone", "city", "country", "bio"] {
        fields.push(optional(name, Kind::String));
    }
    fields.push(Field::new("balance", decimal));
    fields.push(Field::new("active", Schema::new(Kind::Boolean).with_default(Value::Boolean(true))));
    fields.push(Field::new("created_at", created));
    let updated = Schema::new(Kind::Int64).named(debezium::TIMESTAMP).versioned(1).optional();
    fields.push(Field::new("updated_at", updated));
    let row = Schema::record("users_avro.public.users.Value", fields).optional().shared();
    ChangeSchema::new("users_avro.public.users", row, None, source())
}

#[test]
fn envelope_built_by_a_source_prints_as_recorded() {
    let golden = super::golden_tests::all().swap_remove(0);

    let text = to_avro(&users().envelope).unwrap();

    assert_eq!(text, golden.schemas[&2]);
    assert_eq!(*from_avro(&text).unwrap(), *users().envelope);
}

#[test]
fn key_built_by_a_source_prints_as_recorded() {
    let golden = super::golden_tests::all().swap_remove(0);
    let id = Field::new("id", Schema::new(Kind::Int64).with_default(Value::Int64(0)));

    let key = Schema::record("users_avro.public.users.Key", vec![id]);

    assert_eq!(to_avro(&key).unwrap(), golden.schemas[&1]);
}

/// The row of `postgres-init/003-users-table.sql`, as Debezium maps its columns.
fn demo_row() -> Vec<Field> {
    let semantic = |name: &str| Schema::new(Kind::String).named(name).versioned(1);
    let decimal = || {
        let decimal = Schema::new(Kind::Bytes).named(connect::DECIMAL).versioned(1);
        decimal.with_parameter("scale", "4").with_parameter("connect.decimal.precision", "8")
    };
    // `DEFAULT now()` is a function, of which Debezium makes the type's zero.
    let now = || semantic(debezium::ZONED_TIMESTAMP).with_default("1970-01-01T00:00:00.000000Z".into());
    let texts = |names: &[&str]| names.iter().copied().map(text).collect::<Vec<_>>();
    let mut row = vec![Field::new("id", semantic(debezium::UUID))];
    row.extend(texts(&["gender", "name_title", "name_first", "name_last"]));
    row.push(Field::new("street_number", Schema::new(Kind::Int32)));
    row.extend(texts(&["street_name", "city", "state", "country", "postcode"]));
    row.extend([Field::new("latitude", decimal()), Field::new("longitude", decimal())]);
    row.extend(texts(&["timezone_offset", "timezone_description", "email", "username"]));
    row.extend(["dob", "registered"].map(|name| Field::new(name, semantic(debezium::ZONED_TIMESTAMP))));
    row.extend([optional("phone", Kind::String), optional("cell", Kind::String), text("national_id_name")]);
    row.extend([optional("national_id_value", Kind::String), optional("picture_url", Kind::String)]);
    row.extend([text("nat"), Field::new("raw", semantic(debezium::JSON))]);
    row.extend([Field::new("created_at", now()), Field::new("updated_at", now())]);
    row.push(Field::new("version", Schema::new(Kind::Int32).with_default(Value::Int32(1))));
    row
}

#[test]
fn users_table_of_the_demo_prints_as_the_files_in_schemas() {
    let row = demo_row();
    let key = Schema::record("users.public.users.Key", vec![row[0].clone()]);
    let value = Schema::record("users.public.users.Value", row).optional().shared();
    let change = ChangeSchema::new("users.public.users", value, None, source());

    assert_eq!(to_avro(&key).unwrap(), include_str!("../../../../schemas/users.public.users-key.avsc"));
    let golden = include_str!("../../../../schemas/users.public.users-value.avsc");
    assert_eq!(to_avro(&change.envelope).unwrap(), golden);
}

#[test]
fn connect_times_carry_avros_logical_types() {
    let schema = record(vec![
        Field::new("d", Schema::new(Kind::Int32).named(connect::DATE).versioned(1)),
        Field::new("t", Schema::new(Kind::Int32).named(connect::TIME).versioned(1)),
        Field::new("s", Schema::new(Kind::Int64).named(connect::TIMESTAMP).versioned(1)),
    ]);

    let text = to_avro(&schema).unwrap();

    assert!(text.contains(
        r#"{"name":"d","type":{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}}"#
    ));
    assert!(text.contains(r#""logicalType":"time-millis""#));
    assert!(text.contains(r#""logicalType":"timestamp-millis""#));
    assert_eq!(*from_avro(&text).unwrap(), schema);
}

#[test]
fn map_with_other_keys_is_a_list_of_entries() {
    let map = Kind::Map {
        key: Schema::new(Kind::Int16).shared(),
        value: Schema::new(Kind::Float64).optional().shared(),
    };

    let text = to_avro(&Schema::new(map.clone())).unwrap();

    assert_eq!(
        text,
        r#"{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":{"type":"int","connect.type":"int16"}},{"name":"value","type":["null","double"],"default":null}]}}"#
    );
    assert_eq!(from_avro(&text).unwrap().kind, map);
}

#[test]
fn unnamed_structs_are_numbered() {
    let inner = |name| Schema::new(Kind::Struct(vec![text(name)]));
    let outer = Schema::new(Kind::Struct(vec![Field::new("a", inner("x")), Field::new("b", inner("y"))]));

    let text = to_avro(&outer).unwrap();

    assert_eq!(
        text,
        r#"{"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[{"name":"a","type":{"type":"record","name":"ConnectDefault2","fields":[{"name":"x","type":"string"}]}},{"name":"b","type":{"type":"record","name":"ConnectDefault3","fields":[{"name":"y","type":"string"}]}}]}"#
    );
    assert_eq!(*from_avro(&text).unwrap(), outer);
}

#[test]
fn one_name_for_two_structs_is_refused() {
    let inner = |name| Schema::record("x.Inner", vec![text(name)]);
    let outer = record(vec![Field::new("a", inner("x")), Field::new("b", inner("y"))]);

    let error = to_avro(&outer).unwrap_err();

    assert_eq!(
        error.to_string(),
        "cannot write `b` as an Avro schema: two different types have the name `x.Inner`"
    );
    assert_eq!(error.class(), ErrorClass::Stop);
}

#[test]
fn name_that_avro_does_not_allow_is_refused_with_the_remedy() {
    let error = to_avro(&record(vec![text("größe")])).unwrap_err();

    assert!(error.to_string().contains("`größe` is not an Avro name"), "{error}");
    assert!(error.to_string().contains("field.name.adjustment.mode=avro"), "{error}");
}

#[test]
fn foreign_schema_is_read_without_annotations() {
    let text = r#"{"type":"record","name":"Order","namespace":"shop","doc":"an order","fields":[
        {"name":"state","type":{"type":"enum","name":"State","symbols":["NEW","PAID"]}},
        {"name":"hash","type":{"type":"fixed","name":"Hash","size":4}},
        {"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
        {"name":"day","type":["null",{"type":"int","logicalType":"date"}],"default":null},
        {"name":"any","type":["null","string","long",{"type":"record","name":"Point","fields":[{"name":"x","type":"int"}]}]},
        {"name":"note","type":"string","default":"none","doc":"free text"}]}"#;

    let schema = from_avro(text).unwrap();

    let of = |name: &str| Arc::clone(&schema.field(name).unwrap().schema);
    assert!(schema.is_named("shop.Order"));
    assert_eq!(of("state").kind, Kind::String);
    assert_eq!(of("state").parameter("io.confluent.connect.avro.Enum"), Some("shop.State"));
    assert_eq!(of("hash").kind, Kind::Bytes);
    assert!(of("price").is_named(connect::DECIMAL));
    assert!(of("day").is_named(connect::DATE) && of("day").optional);
    let any: Vec<_> = of("any").fields().iter().map(|field| field.name.to_string()).collect();
    assert_eq!(any, ["string", "long", "Point"]);
    assert!(of("any").optional && of("any").fields().iter().all(|field| field.schema.optional));
    assert_eq!(of("note").default, Some("none".into()));
    // Written again, the default is Avro's and not an annotation, as it was.
    assert!(
        to_avro(&schema)
            .unwrap()
            .contains(r#"{"name":"note","type":"string","doc":"free text","default":"none"}"#)
    );
}

#[test]
fn foreign_values_are_read() {
    let schema = r#"{"type":"record","name":"R","fields":[
        {"name":"state","type":{"type":"enum","name":"State","symbols":["NEW","PAID"]}},
        {"name":"hash","type":{"type":"fixed","name":"Hash","size":2}},
        {"name":"any","type":["string","null","int"]}]}"#;
    let decoder = Decoder::compile(schema, &UnavailableValue::default()).unwrap();

    let value = decoder.decode(&Bytes::from_static(&[2, 7, 8, 4, 10])).unwrap();

    let values = value.as_struct().unwrap().values();
    assert_eq!(values[0], "PAID".into());
    assert_eq!(values[1], Value::Bytes(Bytes::from_static(&[7, 8])));
    assert_eq!(values[2].as_struct().unwrap().values(), [Value::Null, Value::Int32(5)]);
}

#[test]
fn recursive_schema_is_refused_by_name() {
    let list = r#"{"type":"record","name":"Node","namespace":"x","fields":[{"name":"next","type":["null","Node"]}]}"#;

    let error = from_avro(list).unwrap_err();

    assert_eq!(
        error.to_string(),
        "cannot read the Avro schema at `next`: `x.Node` contains itself; recursive schemas have no Connect form"
    );
}

#[test]
fn schemas_that_are_none_are_refused() {
    let texts = [
        "{",
        "{}",
        "7",
        "\"unknown\"",
        "null",
        r#"{"type":"record","name":"R"}"#,
        r#"{"type":"array"}"#,
        r#"[["null","int"],"string"]"#,
        r#"[{"type":"record","name":"A","fields":[]},{"type":"record","name":"A","fields":[]}]"#,
        r#"["int",{"type":"int","x":1}]"#,
    ];

    for text in texts {
        assert!(
            matches!(from_avro(text), Err(AvroError::SchemaNotJson(_) | AvroError::SchemaInvalid { .. })),
            "accepted {text}"
        );
    }
}

#[test]
fn chain_of_references_does_not_exhaust_the_stack() {
    let mut branches = vec![r#"{"type":"record","name":"R0","fields":[]}"#.to_owned()];
    for number in 1..5_000 {
        let before = number - 1;
        branches.push(format!(
            r#"{{"type":"record","name":"R{number}","fields":[{{"name":"a","type":"R{before}"}},{{"name":"b","type":"R{before}"}}]}}"#
        ));
    }

    let error = from_avro(&format!("[{}]", branches.join(","))).unwrap_err();

    assert!(error.to_string().contains("nested more than 64 deep"), "{error}");
}

fn with(change: impl FnOnce(&mut AvroFormat)) -> AvroFormat {
    let mut format = AvroFormat::default();
    change(&mut format);
    format
}

#[test]
fn without_metadata_only_avros_own_members_remain() {
    let fields = vec![
        Field::new("small", Schema::new(Kind::Int16).with_default(Value::Int16(7))),
        Field::new("day", Schema::new(Kind::Int32).named(connect::DATE).versioned(1).optional()),
        Field::new("at", Schema::new(Kind::Int64).named(debezium::MICRO_TIMESTAMP).versioned(1)),
    ];
    let schema = Schema::record("a.R", fields).versioned(2);

    let text = super::schema::to_avro(&schema, &with(|format| format.connect_metadata = false)).unwrap();

    assert_eq!(
        text,
        concat!(
            r#"{"type":"record","name":"R","namespace":"a","fields":["#,
            r#"{"name":"small","type":"int","default":7},"#,
            r#"{"name":"day","type":["null",{"type":"int","logicalType":"date"}],"default":null},"#,
            r#"{"name":"at","type":"long"}]}"#
        )
    );
}

#[test]
fn scrubbed_names_keep_the_connect_name() {
    let inner = Schema::record("my-app.public.t.Value", vec![text("first name")]).optional().shared();
    let fields = vec![Field::new("before", Arc::clone(&inner)), Field::new("after", inner)];
    let schema = Schema::record("my-app.public.t.Envelope", fields);

    let text = super::schema::to_avro(&schema, &with(|format| format.scrub_names = true)).unwrap();

    assert_eq!(
        text,
        concat!(
            r#"{"type":"record","name":"Envelope","namespace":"my_app.public.t","fields":["#,
            r#"{"name":"before","type":["null",{"type":"record","name":"Value","fields":["#,
            r#"{"name":"first_name","type":"string"}],"connect.name":"my-app.public.t.Value"}],"default":null},"#,
            r#"{"name":"after","type":["null","Value"],"default":null}],"connect.name":"my-app.public.t.Envelope"}"#
        )
    );
    assert!(to_avro(&schema).is_err());
}

#[test]
fn map_with_optional_keys_is_an_avro_map_where_asked_for() {
    let key = Schema::new(Kind::String).optional().shared();
    let schema = Schema::new(Kind::Map { key, value: Schema::new(Kind::Int32).shared() });

    let text = super::schema::to_avro(&schema, &with(|format| format.optional_map_keys = true)).unwrap();

    assert_eq!(text, r#"{"type":"map","values":"int"}"#);
    assert!(to_avro(&schema).unwrap().contains("MapEntry"));
}

#[test]
fn comments_become_documentation_of_fields_where_asked_for() {
    let mut name = Schema::new(Kind::String);
    name.doc = Some("as in the passport".into());
    let schema = record(vec![Field::new("name", name)]);

    let text = super::schema::to_avro(&schema, &with(|format| format.schema_docs = true)).unwrap();

    assert!(text.contains(r#""connect.doc":"as in the passport"},"doc":"as in the passport"}"#), "{text}");
}

#[test]
fn union_of_one_type_is_that_type() {
    let decoder = Decoder::compile(
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":["string"]}]}"#,
        &UnavailableValue::default(),
    )
    .unwrap();

    let value = decoder.decode(&Bytes::from_static(&[0, 2, b'x'])).unwrap();

    assert_eq!(value.as_struct().unwrap().values(), ["x".into()]);
    assert!(decoder.decode(&Bytes::from_static(&[2, 2, b'x'])).is_err());
}

#[test]
fn null_becomes_the_default_only_where_asked_for() {
    let schema =
        record(vec![Field::new("n", Schema::new(Kind::Int32).with_default(Value::Int32(5)).optional())]);
    let schema = schema.shared();
    let value = sluice_core::value::Struct::new(Arc::clone(&schema), vec![Value::Null]).into();
    let encoded = |null_defaults| {
        let mut out = Vec::new();
        let format = with(|format| format.null_defaults = null_defaults);
        Encoder::compile(&schema, &format).unwrap().encode(&value, &mut out).unwrap();
        out
    };

    assert_eq!(encoded(NullDefaults::Replace), [0, 10]);
    assert_eq!(encoded(NullDefaults::Keep), [2]);
    assert_eq!(encoded(NullDefaults::KeepInRows), [2]);
}
