use sluice_core::value::Value;

use super::*;
use crate::config::{IntervalMode, TimeMode};

/// The defaults.
pub(in crate::types) const MODES: Modes = Modes {
    decimal: DecimalMode::Precise,
    money_digits: 2,
    time: TimeMode::Adaptive,
    binary: BinaryMode::Bytes,
    hstore: HstoreMode::Json,
    interval: IntervalMode::Numeric,
    unknown: false,
    compatibility: Compatibility::Correct,
};

/// A built-in type with a binary form.
pub(in crate::types) fn type_(name: &str, modifier: i32) -> ResolvedType {
    ResolvedType {
        name: name.to_owned(),
        oid: 1,
        modifier,
        form: Form::Base,
        delimiter: ',',
        sends: true,
        money_decimals: 2,
        domain: false,
    }
}

/// Its array.
pub(in crate::types) fn array(element: ResolvedType) -> ResolvedType {
    ResolvedType { form: Form::Array(Box::new(element)), ..type_("_array", -1) }
}

#[test]
fn numeric_modifier_gives_precision_and_scale() {
    let parameters = |precision: i32, scale: i32| {
        let modifier = (precision << 16 | scale & 0x7FF) + 4;
        map(&type_("numeric", modifier), MODES).unwrap().schema.parameters
    };
    let expected = |scale: &str, precision: &str| {
        vec![("scale".into(), scale.into()), ("connect.decimal.precision".into(), precision.into())]
    };

    assert_eq!(parameters(12, 2), expected("2", "12"));
    assert_eq!(parameters(38, 0), expected("0", "38"));
    assert_eq!(parameters(3, -2), expected("0", "5"));
}

#[test]
fn times_follow_their_precision() {
    let name = |type_name, modifier, time| {
        map(&type_(type_name, modifier), Modes { time, ..MODES }).unwrap().schema.name.unwrap()
    };

    assert_eq!(&*name("timestamp", 3, TimeMode::Adaptive), debezium::TIMESTAMP);
    assert_eq!(&*name("timestamp", -1, TimeMode::Adaptive), debezium::MICRO_TIMESTAMP);
    assert_eq!(&*name("time", 0, TimeMode::Adaptive), debezium::TIME);
    assert_eq!(&*name("time", 0, TimeMode::AdaptiveTimeMicroseconds), debezium::MICRO_TIME);
    assert_eq!(&*name("timestamp", 6, TimeMode::Connect), connect::TIMESTAMP);
}

#[test]
fn every_mode_has_its_times() {
    let names = |time| {
        let name = |type_name, modifier| {
            let name = map(&type_(type_name, modifier), Modes { time, ..MODES }).unwrap().schema.name;
            name.unwrap().rsplit('.').next().unwrap().to_owned()
        };
        [("date", -1), ("time", 3), ("time", -1), ("timestamp", 3), ("timestamp", 6), ("timetz", -1)]
            .map(|(type_name, modifier)| name(type_name, modifier))
    };

    let zoned = "ZonedTime";
    assert_eq!(
        names(TimeMode::Microseconds),
        ["Date", "MicroTime", "MicroTime", "MicroTimestamp", "MicroTimestamp", zoned]
    );
    assert_eq!(
        names(TimeMode::Nanoseconds),
        ["Date", "NanoTime", "NanoTime", "NanoTimestamp", "NanoTimestamp", zoned]
    );
    assert_eq!(
        names(TimeMode::IsoString),
        ["IsoDate", "IsoTime", "IsoTime", "IsoTimestamp", "IsoTimestamp", zoned]
    );
    let structured = ["Date", "Time", "Time", "Timestamp", "Timestamp", "ZonedTime"];
    assert_eq!(names(TimeMode::Structured), structured.map(|name| format!("Structured{name}")));
}

#[test]
fn unknown_types_have_a_mapping_only_if_asked_for() {
    let unknown = Modes { unknown: true, ..MODES };

    assert!(map(&type_("pg_lsn", -1), MODES).is_none());
    assert!(map(&array(type_("tsquery", -1)), MODES).is_none());
    assert_eq!(map(&type_("pg_lsn", -1), unknown).unwrap().schema.kind, Kind::Bytes);
    let bytes = Schema::new(Kind::Bytes).shared();
    assert_eq!(map(&array(type_("tsquery", -1)), unknown).unwrap().schema.kind, Kind::Array(bytes));
    let own = ResolvedType { oid: 20_000, ..type_("cube", -1) };
    assert!(map(&own, unknown).is_none());
}

#[test]
fn types_that_cannot_be_sent_are_text_alone_and_nothing_in_arrays() {
    let isbn = ResolvedType { oid: 20_000, sends: false, ..type_("isbn", -1) };

    assert!(map(&isbn, MODES).unwrap().text);
    assert!(map(&array(isbn), MODES).is_none());
}

#[test]
fn debezium_leaves_out_what_it_has_no_list_for() {
    let debezium = Modes { compatibility: Compatibility::Debezium, unknown: true, ..MODES };

    assert!(map(&array(type_("interval", -1)), debezium).is_none());
    assert!(map(&array(type_("interval", -1)), MODES).is_some());
    let domain = array(ResolvedType { domain: true, ..type_("int4", -1) });
    assert!(map(&domain, Modes { unknown: false, ..debezium }).is_none());
    let bytes = Schema::new(Kind::Bytes).shared();
    assert_eq!(map(&domain, debezium).unwrap().schema.kind, Kind::Array(bytes));
}

#[test]
fn negative_scales_are_zero_or_what_debezium_makes_of_them() {
    let modifier = (3 << 16 | -2 & 0x7FF) + 4;
    let scale = |compatibility| {
        let schema = map(&type_("numeric", modifier), Modes { compatibility, ..MODES }).unwrap().schema;
        schema.parameter("scale").unwrap().to_owned()
    };

    assert_eq!(scale(Compatibility::Correct), "0");
    assert_eq!(scale(Compatibility::Debezium), "2046");
}

#[test]
fn elements_are_required_where_debezium_requires_them() {
    let element = |name| match map(&array(type_(name, -1)), MODES).unwrap().schema.kind {
        Kind::Array(element) => element,
        kind => panic!("{kind:?} is no array"),
    };

    assert!(element("text").optional);
    assert!(!element("tsvector").optional);
    assert_eq!(element("int2vector").kind, Kind::Array(Schema::new(Kind::Int16).shared()));
    assert!(!element("int2vector").optional);
}

#[test]
fn elements_that_are_passed_on_as_text_stay_whole() {
    let modes = Modes { compatibility: Compatibility::Debezium, unknown: true, ..MODES };
    let mapping = map(&array(ResolvedType { domain: true, ..type_("time", -1) }), modes).unwrap();
    let mut wire: Vec<u8> = [1, 0, 1083, 1, 1, 8].iter().flat_map(|n: &i32| n.to_be_bytes()).collect();
    wire.extend(1_234_567_i64.to_be_bytes());
    let wire = bytes::Bytes::from(wire);

    let value = mapping.decoder.decode(&wire, &wire, &mut bytes::BytesMut::new()).unwrap();

    let text = bytes::Bytes::from_static(b"00:00:01.234567");
    assert_eq!(value, Value::Array(vec![Value::Bytes(text)]));
}

#[test]
fn debezium_takes_an_array_of_bits_for_its_element() {
    let modes = Modes { compatibility: Compatibility::Debezium, ..MODES };

    let mapping = map(&array(type_("bit", 5)), modes).unwrap();

    assert!(mapping.schema.is_named(debezium::BITS));
}
