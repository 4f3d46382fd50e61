//! Types, and values of theirs made by chance. Odd values are those that Debezium changes: they are for cases that run
//! with `compatibility=debezium`, and are no defaults: the registry refuses those that are no number.

use std::ops::Range;

use fastrand::Rng;

/// A type, and how to write one of its values as SQL; whether odd values may come is said beside.
pub(super) type Kind = (&'static str, fn(&mut Rng, bool) -> String);

/// What types of [`KINDS`] need.
pub(super) const PRELUDE: [&str; 4] = [
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')",
    "CREATE DOMAIN price AS numeric(8, 2) CHECK (value > -1000000)",
    "CREATE EXTENSION hstore",
    "CREATE EXTENSION citext",
];

/// How many of [`KINDS`] come first that are for any case; the others are for odd cases, in columns that may be NULL.
pub(super) const PLAIN_KINDS: usize = 64;

pub(super) const KINDS: [Kind; 74] = [
    ("boolean", |rng, _| rng.bool().to_string()),
    ("smallint", |rng, _| rng.i16(..).to_string()),
    ("int", |rng, _| rng.i32(..).to_string()),
    ("bigint", |rng, _| format!("'{}'", rng.i64(..))),
    ("oid", |rng, _| rng.u32(..).to_string()),
    ("real", |rng, odd| {
        special_or(rng, odd, "'NaN'", |rng| {
            one_of(rng, &["0", "-1.5", "3.4e38", "1e-45", "16777217", "'-0'"])
        })
    }),
    ("double precision", |rng, odd| {
        special_or(rng, odd, "'-Infinity'", |rng| {
            one_of(rng, &["0", "0.1", "1.7976931348623157e308", "5e-324", "'-0'"])
        })
    }),
    ("numeric(12, 3)", |rng, odd| special_or(rng, odd, "'NaN'", |rng| decimal(rng, 9, 3))),
    ("numeric(38, 0)", |rng, _| decimal(rng, 38, 0)),
    ("numeric", |rng, odd| {
        let (whole, scale) = (rng.usize(1..60), rng.usize(0..40));
        special_or(rng, odd, "'NaN'", |rng| decimal(rng, whole, scale))
    }),
    ("price", |rng, _| decimal(rng, 5, 2)),
    ("money", |rng, _| format!("'{}'", decimal(rng, 9, 2))),
    ("text", |rng, odd| if odd && rng.u8(..4) == 0 { large(rng) } else { text(rng, 60) }),
    ("varchar(12)", |rng, _| text(rng, 12)),
    ("char(7)", |rng, _| text(rng, 7)),
    ("citext", |rng, _| text(rng, 9)),
    ("bytea", |rng, _| {
        let length = rng.usize(..20);
        format!("'\\x{}'", digits(rng, length * 2, 16))
    }),
    ("date", |rng, odd| special_or(rng, odd, "'0044-03-15 BC'", |rng| format!("'{}'", date(rng)))),
    ("time", |rng, _| format!("'{}'", time(rng, 6))),
    ("time(2)", |rng, _| format!("'{}'", time(rng, 2))),
    ("time(0)", |rng, odd| {
        special_or(rng, odd, "'24:00:00'", |rng| one_of(rng, &["'00:00:00'", "'12:34:56'"]))
    }),
    ("timetz", |rng, odd| {
        special_or(rng, odd, "'24:00:00+00'", |rng| format!("'{}+{:02}'", time(rng, 6), rng.u8(..14)))
    }),
    ("timestamp", |rng, odd| {
        special_or(rng, odd, "'-infinity'", |rng| format!("'{} {}'", near(rng, odd), time(rng, 6)))
    }),
    ("timestamp(3)", |rng, odd| {
        special_or(rng, odd, "'infinity'", |rng| format!("'{} {}'", near(rng, odd), time(rng, 3)))
    }),
    ("timestamptz", |rng, odd| {
        special_or(rng, odd, "'infinity'", |rng| {
            format!("'{} {}+{:02}'", date(rng), time(rng, 6), rng.u8(..14))
        })
    }),
    ("interval", |rng, odd| {
        if odd {
            format!("'{} months {} days {}'", rng.i16(..), rng.i16(..), time(rng, 6))
        } else {
            // What a double holds.
            format!("'{} months {} days {}'", rng.i8(..), rng.i16(..), time(rng, 0))
        }
    }),
    ("uuid", |rng, _| format!("'{}'", digits(rng, 32, 16))),
    ("jsonb", |rng, _| format!("jsonb_build_object('k', {}, 'n', {})", text(rng, 9), rng.i32(..))),
    ("json", |rng, _| format!("'[{}, {{\"a\":  null}}]'", rng.i32(..))),
    ("xml", |rng, _| format!("'<a b=\"{}\">{}</a>'", rng.u8(..), rng.u8(..))),
    ("inet", |rng, _| format!("'{}/{}'", address(rng), rng.u8(..33))),
    ("cidr", |rng, _| format!("'{}/32'", address(rng))),
    ("macaddr", |rng, _| format!("'{}'", digits(rng, 12, 16))),
    ("bit(1)", |rng, _| format!("B'{}'", digits(rng, 1, 2))),
    ("bit(11)", |rng, _| format!("B'{}'", digits(rng, 11, 2))),
    ("varbit", |rng, _| {
        let length = rng.usize(1..70);
        format!("B'{}'", digits(rng, length, 2))
    }),
    ("mood", |rng, _| one_of(rng, &["'sad'", "'ok'", "'happy'"])),
    ("hstore", |rng, _| format!("hstore({}, NULL) || hstore('k', {})", text(rng, 5), text(rng, 5))),
    ("int4range", |rng, _| one_of(rng, &["'[1,6)'", "'empty'", "'(,5]'", "'(3,)'"])),
    ("tstzrange", |rng, _| format!("'[\"{} {}+00\",)'", date(rng), time(rng, 3))),
    ("point", |rng, _| format!("'({},{})'", rng.i16(..), rng.i16(..))),
    ("tsvector", |rng, _| format!("to_tsvector('simple', {})", text(rng, 20))),
    ("int[]", |rng, _| format!("'{{{},NULL,{}}}'", rng.i32(..), rng.i32(..))),
    ("text[]", |rng, _| format!("ARRAY[{}, NULL, {}]", text(rng, 9), text(rng, 9))),
    ("numeric(10, 2)[]", |rng, _| format!("ARRAY[{}, NULL, {}]", decimal(rng, 7, 2), decimal(rng, 7, 2))),
    ("mood[]", |rng, odd| special_or(rng, odd, "'{sad,NULL}'", |rng| one_of(rng, &["'{}'", "'{happy}'"]))),
    ("date[]", |rng, _| format!("'{{{},NULL}}'", date(rng))),
    ("timestamptz[]", |rng, _| format!("'{{\"{} {}+00\"}}'", date(rng), time(rng, 6))),
    ("bigint[]", |rng, _| format!("'{{{},NULL}}'", rng.i64(..))),
    ("boolean[]", |rng, _| format!("'{{{},NULL}}'", rng.bool())),
    ("double precision[]", |_, _| "'{0.1,NULL,5e-324}'".to_owned()),
    ("uuid[]", |rng, _| format!("'{{{},NULL}}'", digits(rng, 32, 16))),
    ("jsonb[]", |rng, _| format!("ARRAY[jsonb_build_array({}), NULL]", rng.i32(..))),
    ("timestamp[]", |rng, _| format!("'{{\"{} {}\",NULL}}'", near(rng, false), time(rng, 6))),
    ("bytea[]", |rng, _| format!("ARRAY['\\x{}'::bytea, NULL]", digits(rng, 6, 16))),
    ("inet[]", |rng, _| format!("'{{{},NULL}}'", address(rng))),
    ("varchar(5)[]", |rng, _| format!("ARRAY[{}, NULL]", text(rng, 5))),
    ("char(3)[]", |rng, _| format!("ARRAY[{}, NULL]", text(rng, 3))),
    ("numrange", |rng, _| format!("'[{},)'", rng.i32(..))),
    ("int8range", |rng, _| format!("'(,{}]'", rng.i32(..))),
    ("daterange", |rng, _| format!("'[{},)'", date(rng))),
    ("tsrange", |rng, _| format!("'(,\"{} {}\")'", date(rng), time(rng, 6))),
    ("macaddr8", |rng, _| format!("'{}'", digits(rng, 16, 16))),
    ("\"char\"", |rng, _| one_of(rng, &["'a'", "'Z'", "'~'"])),
    ("name", |rng, _| text(rng, 9)),
    ("box", |rng, _| format!("'({},1),(0,0)'", rng.u8(..))),
    ("pg_lsn", |rng, _| format!("'0/{}'", digits(rng, 6, 10))),
    ("int4multirange", |_, _| "'{[1,3),[5,7)}'".to_owned()),
    ("money[]", |rng, _| format!("'{{{}}}'", decimal(rng, 3, 2))),
    ("interval[]", |rng, _| format!("'{{{} days}}'", rng.u8(..))),
    ("price[]", |rng, _| format!("ARRAY[{}]::price[]", decimal(rng, 3, 2))),
    ("time[]", |rng, _| format!("'{{{},NULL}}'", time(rng, 6))),
    ("varbit[]", |rng, _| format!("'{{{}}}'", digits(rng, 5, 2))),
    ("jsonpath", |_, _| "'$.a'".to_owned()),
];

/// A value of a kind.
pub(super) fn value(rng: &mut Rng, kind: usize, odd: bool) -> String {
    KINDS[kind].1(rng, odd)
}

pub(super) fn one_of(rng: &mut Rng, values: &[&str]) -> String {
    values[rng.usize(..values.len())].to_owned()
}

fn special_or(rng: &mut Rng, odd: bool, special: &str, make: impl Fn(&mut Rng) -> String) -> String {
    if odd && rng.u8(..6) == 0 { special.to_owned() } else { make(rng) }
}

fn digits(rng: &mut Rng, count: usize, radix: u32) -> String {
    (0..count).map(|_| rng.digit(radix)).collect()
}

fn decimal(rng: &mut Rng, whole: usize, scale: usize) -> String {
    let sign = if rng.bool() { "-" } else { "" };
    let length = rng.usize(1..=whole);
    let point = if scale > 0 { format!(".{}", digits(rng, scale, 10)) } else { String::new() };
    format!("{sign}{}{point}", digits(rng, length, 10))
}

fn address(rng: &mut Rng) -> String {
    format!("{}.{}.{}.{}", rng.u8(..), rng.u8(..), rng.u8(..), rng.u8(..))
}

/// A quoted text of at most so many letters.
fn text(rng: &mut Rng, limit: usize) -> String {
    const LETTERS: [char; 12] = ['a', 'Z', '0', ' ', '"', ',', '\\', '{', 'é', '漢', '😀', '\t'];
    let letters = (0..rng.usize(..=limit)).map(|_| LETTERS[rng.usize(..LETTERS.len())]);
    format!("'{}'", letters.collect::<String>())
}

/// A text that does not fit into a row, of a column that is stored outside.
fn large(rng: &mut Rng) -> String {
    format!("repeat({} || '-', 3000)", text(rng, 3))
}

fn date(rng: &mut Rng) -> String {
    date_of(rng, 1600..9999)
}

/// A date whose nanoseconds since 1970 fit into 64 bits, unless it may be odd.
fn near(rng: &mut Rng, odd: bool) -> String {
    date_of(rng, if odd { 1600..9999 } else { 1678..2262 })
}

fn date_of(rng: &mut Rng, years: Range<u16>) -> String {
    format!("{:04}-{:02}-{:02}", rng.u16(years), rng.u8(1..13), rng.u8(1..29))
}

fn time(rng: &mut Rng, precision: usize) -> String {
    let fraction = if precision > 0 { format!(".{}", digits(rng, precision, 10)) } else { String::new() };
    format!("{:02}:{:02}:{:02}{fraction}", rng.u8(..24), rng.u8(..60), rng.u8(..60))
}
