//! Bytes against values that Cassandra's own documentation and drivers give.

use bytes::Bytes;
use proptest::prelude::*;
use scylla::cluster::metadata::{CollectionType, ColumnType, NativeType};
use sluice_core::{
    Schema, SchemaRef,
    schema::{Field, Kind, connect, debezium},
    value::Struct,
};

use super::*;
use crate::shape::Shape;

fn native(native: NativeType) -> ColumnType<'static> {
    ColumnType::Native(native)
}

fn list(element: NativeType, frozen: bool) -> ColumnType<'static> {
    ColumnType::Collection { frozen, typ: CollectionType::List(Box::new(native(element))) }
}

fn encode(schema: &Schema, column: &ColumnType<'_>, value: &Value) -> Result<Vec<u8>, ValueError> {
    bytes(&Encoder::compile(schema, column, false).unwrap(), value)
}

fn bytes(encoder: &Encoder, value: &Value) -> Result<Vec<u8>, ValueError> {
    let mut cell = Vec::new();
    encoder.encode(value, CellWriter::new(&mut cell))?;
    let size = i32::from_be_bytes(cell[..4].try_into().unwrap());
    assert_eq!(size as usize, cell.len() - 4);
    Ok(cell[4..].to_vec())
}

fn misfit(schema: &Schema, column: &ColumnType<'_>, key: bool) -> String {
    Encoder::compile(schema, column, key).unwrap_err().to_string()
}

#[test]
fn integers_widen_but_never_narrow() {
    let short = Schema::new(Kind::Int16);

    assert_eq!(encode(&short, &native(NativeType::Int), &Value::Int16(-2)).unwrap(), (-2_i32).to_be_bytes());
    assert_eq!(encode(&short, &native(NativeType::Varint), &Value::Int16(128)).unwrap(), [0, 128]);
    let message = misfit(&Schema::new(Kind::Int64), &native(NativeType::Int), false);
    assert!(message.contains("is int, which cannot hold int64; allowed: bigint, varint"), "{message}");
}

#[test]
fn a_value_wider_than_its_schema_is_refused() {
    let error =
        encode(&Schema::new(Kind::Int16), &native(NativeType::SmallInt), &Value::Int64(40_000)).unwrap_err();

    assert!(matches!(error, ValueError::Range { .. }));
}

#[test]
fn dates_count_from_the_middle_of_the_range() {
    let schema = Schema::new(Kind::Int32).named(debezium::DATE);
    let date = |days| encode(&schema, &native(NativeType::Date), &Value::Int32(days));

    assert_eq!(date(0).unwrap(), [0x80, 0, 0, 0]);
    assert_eq!(date(-1).unwrap(), [0x7f, 0xff, 0xff, 0xff]);
    for infinity in [-622_191_234, -625_821_272, -2_147_472_692, i32::MAX] {
        assert_eq!(date(infinity), Err(ValueError::Infinity));
    }
}

#[test]
fn the_end_of_the_day_is_no_time() {
    let schema = Schema::new(Kind::Int64).named(debezium::MICRO_TIME);
    let time = |micros| encode(&schema, &native(NativeType::Time), &Value::Int64(micros));

    assert_eq!(time(86_399_999_999).unwrap(), 86_399_999_999_000_i64.to_be_bytes());
    assert!(matches!(time(86_400_000_000), Err(ValueError::Range { .. })));
    assert!(matches!(time(-1), Err(ValueError::Range { .. })));
}

#[test]
fn timestamps_are_rounded_into_the_past() {
    let micro = Schema::new(Kind::Int64).named(debezium::MICRO_TIMESTAMP);
    let zoned = Schema::new(Kind::String).named(debezium::ZONED_TIMESTAMP);
    let timestamp = native(NativeType::Timestamp);

    assert_eq!(encode(&micro, &timestamp, &Value::Int64(-1)).unwrap(), (-1_i64).to_be_bytes());
    assert_eq!(
        encode(&zoned, &timestamp, &"1969-12-31T23:59:59.999999Z".into()).unwrap(),
        (-1_i64).to_be_bytes()
    );
    assert_eq!(encode(&micro, &timestamp, &Value::Int64(INFINITY[0])), Err(ValueError::Infinity));
    let milli = Schema::new(Kind::Int64).named(debezium::TIMESTAMP);
    assert_eq!(encode(&milli, &timestamp, &Value::Int64(-9_223_372_036_832_400)), Err(ValueError::Infinity));
    assert!(encode(&micro, &timestamp, &Value::Int64(-9_223_372_036_832_400)).is_ok());
    let nano = Schema::new(Kind::Int64).named(debezium::NANO_TIMESTAMP);
    assert_eq!(encode(&nano, &timestamp, &Value::Int64(i64::MIN)), Err(ValueError::Infinity));
    assert_eq!(encode(&zoned, &timestamp, &"-infinity".into()), Err(ValueError::Infinity));
    assert_eq!(
        encode(&zoned, &native(NativeType::BigInt), &"1970-01-01T00:00:00.000007Z".into()).unwrap(),
        7_i64.to_be_bytes()
    );
}

#[test]
fn decimals_are_scale_and_the_bytes_they_came_with() {
    let schema = Schema::new(Kind::Bytes).named(connect::DECIMAL).with_parameter("scale", "2");
    let value = Value::Bytes(Bytes::from_static(&[0, 0, 100]));

    assert_eq!(encode(&schema, &native(NativeType::Decimal), &value).unwrap(), [0, 0, 0, 2, 0, 0, 100]);
    let key = Encoder::compile(&schema, &native(NativeType::Decimal), true).unwrap();
    assert_eq!(bytes(&key, &value).unwrap(), [0, 0, 0, 0, 1]);
    let empty = Value::Bytes(Bytes::new());
    assert!(matches!(bytes(&key, &empty), Err(ValueError::Form { .. })));
}

#[test]
fn variable_scale_decimals_are_read_from_their_struct() {
    let fields =
        vec![Field::new("scale", Schema::new(Kind::Int32)), Field::new("value", Schema::new(Kind::Bytes))];
    let schema = Schema::record(debezium::VARIABLE_SCALE_DECIMAL, fields).shared();
    let value = Struct::new(
        SchemaRef::clone(&schema),
        vec![Value::Int32(3), Value::Bytes(Bytes::from_static(&[0xff]))],
    );

    assert_eq!(encode(&schema, &native(NativeType::Decimal), &value.into()).unwrap(), [0, 0, 0, 3, 0xff]);
}

#[test]
fn a_null_in_a_collection_is_refused() {
    let schema = Schema::new(Kind::Array(Schema::new(Kind::Int32).optional().shared()));
    let column = list(NativeType::Int, true);
    let ints = |values: Vec<Value>| encode(&schema, &column, &Value::Array(values));

    assert_eq!(ints(vec![Value::Int32(1), Value::Null]), Err(ValueError::NullElement));
    assert_eq!(ints(vec![]).unwrap(), [0, 0, 0, 0]);
    assert_eq!(ints(vec![Value::Int32(1)]).unwrap(), [0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 1]);
}

#[test]
fn a_collection_that_is_not_frozen_is_refused() {
    let schema = Schema::new(Kind::Array(Schema::new(Kind::Int32).shared()));

    assert!(misfit(&schema, &list(NativeType::Int, false), false).contains("not frozen"));
}

#[test]
fn vectors_have_one_length() {
    let schema = Schema::new(Kind::Array(Schema::new(Kind::Float64).shared()));
    let column = ColumnType::Vector { typ: Box::new(native(NativeType::Float)), dimensions: 2 };
    let vector = |values: &[f64]| {
        encode(&schema, &column, &Value::Array(values.iter().copied().map(Value::Float64).collect()))
    };

    assert_eq!(vector(&[1.0, -0.5]).unwrap(), [0x3f, 0x80, 0, 0, 0xbf, 0, 0, 0]);
    assert_eq!(vector(&[1.0]), Err(ValueError::Dimensions { expected: 2, got: 1 }));
}

#[test]
fn an_address_with_a_mask_is_no_inet() {
    let inet = |text: &str| encode(&Schema::new(Kind::String), &native(NativeType::Inet), &text.into());

    assert_eq!(inet("10.0.0.1/32").unwrap(), [10, 0, 0, 1]);
    assert_eq!(inet("::1").unwrap().len(), 16);
    assert!(matches!(inet("10.0.0.0/8"), Err(ValueError::Form { .. })));
}

#[test]
fn durations_are_zigzag_vints_of_one_sign() {
    let iso = Schema::new(Kind::String).named(debezium::INTERVAL);
    let duration = |text: &str| encode(&iso, &native(NativeType::Duration), &text.into());

    assert_eq!(duration("P1M2DT0.000000003S").unwrap(), [2, 4, 6]);
    assert_eq!(duration("P0DT-0.000000065S").unwrap(), [0, 0, 0x80, 129]);
    assert!(matches!(duration("P1M-2D"), Err(ValueError::Form { .. })));
    let micros = Schema::new(Kind::Int64).named(debezium::MICRO_DURATION);
    assert_eq!(encode(&micros, &native(NativeType::Duration), &Value::Int64(0)).unwrap(), [0, 0, 0]);
}

#[test]
fn keys_that_would_collapse_are_refused() {
    let zoned = Schema::new(Kind::String).named(debezium::ZONED_TIMESTAMP);
    assert!(misfit(&zoned, &native(NativeType::Timestamp), true).contains("bigint"));
    assert!(misfit(&Schema::new(Kind::Float64), &native(NativeType::Double), true).contains("-0.0"));
    assert!(misfit(&Schema::new(Kind::String), &native(NativeType::Inet), true).contains("allowed: text"));
}

#[test]
fn structs_become_json() {
    let schema = Schema::record("Point", vec![Field::new("x", Schema::new(Kind::Float64))]).shared();
    let value = Struct::new(SchemaRef::clone(&schema), vec![Value::Float64(1.5)]);

    assert_eq!(encode(&schema, &native(NativeType::Text), &value.into()).unwrap(), b"{\"x\":1.5}");
}

#[test]
fn text_of_any_logical_name_is_text() {
    let names = [
        debezium::LTREE,
        debezium::TSVECTOR,
        debezium::XML,
        debezium::ISO_DATE,
        debezium::ISO_TIME,
        debezium::ISO_TIMESTAMP,
    ];
    for name in names {
        let schema = Schema::new(Kind::String).named(name);
        assert_eq!(Shape::of(&schema).default_type(true).as_deref(), Some("text"), "{name}");
        assert_eq!(encode(&schema, &native(NativeType::Text), &"a.b".into()).unwrap(), b"a.b");
    }
}

#[test]
fn hstores_are_maps_of_text_and_vectors_are_vectors() {
    let text = || Schema::new(Kind::String);
    let hstore = Schema::new(Kind::Map { key: text().shared(), value: text().optional().shared() });
    let pair = |value| Value::Map(vec![("a".into(), value)]);
    let column = ColumnType::Collection {
        frozen: true,
        typ: CollectionType::Map(Box::new(native(NativeType::Text)), Box::new(native(NativeType::Text))),
    };
    assert_eq!(Shape::of(&hstore).default_type(false).as_deref(), Some("frozen<map<text, text>>"));
    let expected = [0, 0, 0, 1, 0, 0, 0, 1, b'a', 0, 0, 0, 1, b'1'];
    assert_eq!(encode(&hstore, &column, &pair("1".into())).unwrap(), expected);
    assert_eq!(encode(&hstore, &column, &pair(Value::Null)), Err(ValueError::NullElement));
    assert_eq!(encode(&hstore, &native(NativeType::Text), &pair(Value::Null)).unwrap(), br#"{"a":null}"#);

    let double = Schema::new(Kind::Array(Schema::new(Kind::Float64).shared())).named(debezium::DOUBLE_VECTOR);
    let column = ColumnType::Vector { typ: Box::new(native(NativeType::Float)), dimensions: 1 };
    assert_eq!(
        encode(&double, &column, &Value::Array(vec![Value::Float64(0.1)])).unwrap(),
        0.1_f32.to_be_bytes()
    );
}

#[test]
fn points_and_structured_dates_are_json_and_no_keys() {
    for name in [debezium::POINT, debezium::STRUCTURED_DATE, debezium::SPARSE_DOUBLE_VECTOR] {
        let schema = Schema::record(name, vec![Field::new("x", Schema::new(Kind::Int8))]);
        assert_eq!(Shape::of(&schema).default_type(false).as_deref(), Some("text"), "{name}");
        assert_eq!(Shape::of(&schema).default_type(true), None, "{name}");
    }
}

fn number_of(bytes: &[u8]) -> i128 {
    let sign = if bytes[0] & 0x80 != 0 { -1 } else { 0 };
    bytes.iter().fold(sign, |sum, &byte| sum << 8 | i128::from(byte))
}

proptest! {
    #[test]
    fn canonical_decimals_keep_their_value(number in any::<i64>(), zeros in 0..6_u32, scale in 0..20_i32) {
        let unscaled = i128::from(number) * 10_i128.pow(zeros);
        let (canonical_scale, digits) = strip_zeros(scale, minimal(&unscaled.to_be_bytes()));
        let digits = minimal(&digits);

        let stripped = u32::try_from(scale - canonical_scale).unwrap_or(0);
        if number == 0 {
            prop_assert_eq!((canonical_scale, digits), (0, &[0][..]));
        } else {
            prop_assert_eq!(number_of(digits) * 10_i128.pow(stripped), unscaled);
            prop_assert!(number_of(digits) % 10 != 0);
            prop_assert_eq!(minimal(digits), digits);
        }
    }

    #[test]
    fn varints_are_minimal(number in any::<i64>()) {
        let bytes = number.to_be_bytes();
        let digits = minimal(&bytes);
        prop_assert_eq!(number_of(digits), i128::from(number));
        prop_assert!(digits.len() == 1 || number_of(&digits[1..]) != i128::from(number));
    }
}
