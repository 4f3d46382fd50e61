"""From Kafka messages to flat changes, or to the reason why a message is none.

A message is framed as Confluent's serialisers do: a zero byte, the id of its writer's schema in 4 bytes, Avro. Which
ids there are is known per batch only, so the expressions are built per batch, one branch per writer schema; all of
them read into the same few fields. `from_avro` answers a struct of nulls for bytes that do not fit: mandatory
fields are looked at, never the struct.
"""

import json
from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as f
from pyspark.sql.avro.functions import from_avro

POSITION_HEADER = "sluice.position"
TRUNCATE = "truncate"
"""The reason of a change that empties the table: it is of no one person."""

_TEXT = {"type": ["null", "string"], "default": None}
_LONG = {"type": ["null", "long"], "default": None}
_ROW = {
    "type": "record",
    "name": "Row",
    "fields": [{"name": name, **_TEXT} for name in ("id", "country", "dob")],
}
_SOURCE = {"type": "record", "name": "Source", "fields": [{"name": name, **_LONG} for name in ("ts_ms", "lsn")]}
READER_SCHEMA = json.dumps(
    {
        "type": "record",
        "name": "Envelope",
        "fields": [
            {"name": "before", "type": ["null", _ROW], "default": None},
            {"name": "after", "type": ["null", "Row"], "default": None},
            {"name": "source", "type": ["null", _SOURCE], "default": None},
            {"name": "op", **_TEXT},
        ],
    }
)
"""What is read of Debezium's envelope. All of it may be missing: that is a reason, not a failure."""

_ENVELOPE = (
    "struct<before: struct<id: string, country: string, dob: string>,"
    " after: struct<id: string, country: string, dob: string>, source: struct<ts_ms: bigint, lsn: bigint>, op: string>"
)
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_POSITION = r"^\d{1,9}/\d{1,18}/\d{1,18}/\d{1,18}$"
_YEAR_10000_MS = 253_402_300_800_000


def framed(messages: DataFrame) -> DataFrame:
    """Keep what is needed of Kafka's columns, and read the schema id: null in a message without the frame."""
    is_framed = (f.length("value") > 5) & (f.substring("value", 1, 1) == f.lit(b"\x00"))
    schema_id = f.conv(f.hex(f.substring("value", 2, 4)), 16, 10).cast("int")
    positions = f.filter("headers", lambda header: header.key == POSITION_HEADER)
    return messages.select(
        "topic",
        "partition",
        "offset",
        "key",
        "value",
        f.when(is_framed, schema_id).alias("schema_id"),
        f.try_element_at(positions, f.lit(-1)).value.cast("string").alias("position_header"),
    )


def changes(messages: DataFrame, schemas: Mapping[int, str | None]) -> DataFrame:
    """Decode framed messages that have a value.

    `schemas` has every schema id of the messages, with none where the registry knows no such Avro schema. The result
    has the fields of `person.Change` with `id`, in lower case; where `reason` is not null the message is no change
    of a person, and its other fields but `topic`, `partition`, `offset`, `key` and `value` mean nothing.
    """
    decoded = messages.select("*", _decoded(schemas).alias("envelope"))
    flat = decoded.select(
        "topic",
        "partition",
        "offset",
        "key",
        "value",
        "schema_id",
        "position_header",
        "envelope.*",
        f.lower(f.coalesce("envelope.after.id", "envelope.before.id")).alias("id"),
        _position().alias("position"),
        f.col("envelope.source.ts_ms").alias("at"),
        # A before-image of the key alone has the other columns empty.
        f.when(f.col("envelope.after").isNotNull(), f.col("envelope.after.country"))
        .otherwise(f.expr("nullif(envelope.before.country, '')"))
        .alias("country"),
        f.to_date(f.substring("envelope.after.dob", 1, 10), "yyyy-MM-dd").alias("born"),
    )
    reason = _reason(schemas)
    return flat.select(
        "topic",
        "partition",
        "offset",
        "key",
        f.when(reason.isNotNull(), f.col("value")).alias("value"),
        reason.alias("reason"),
        "id",
        f.struct("position", "op", "at", "country", "born").alias("change"),
    )


def dead_letters(bad: DataFrame) -> DataFrame:
    """Make the messages for the dead letter topic: the same bytes, and headers that tell what was wrong with them.

    The headers are those of Kafka Connect.
    """

    def header(name: str, value: Column) -> Column:
        return f.struct(
            f.lit(f"__connect.errors.{name}").alias("key"), f.encode(value.cast("string"), "UTF-8").alias("value")
        )

    headers = f.array(
        header("topic", f.col("topic")),
        header("partition", f.col("partition")),
        header("offset", f.col("offset")),
        header("stage", f.lit("VALUE_CONVERTER")),
        header("exception.message", f.col("reason")),
    )
    return bad.select("key", "value", headers.alias("headers"))


def _decoded(schemas: Mapping[int, str | None]) -> Column:
    options = {"mode": "PERMISSIVE", "avroSchema": READER_SCHEMA}
    body = f.expr("substring(value, 6)")
    decoded = f.lit(None).cast(_ENVELOPE)
    for schema_id, schema in schemas.items():
        if schema is not None:
            decoded = f.when(f.col("schema_id") == schema_id, from_avro(body, schema, options)).otherwise(decoded)
    return decoded


def _position() -> Column:
    """Read the position of the header, or take the log position of the row's change where there is no header.

    The latter orders the changes of one row just as well: a row is locked until its change is committed.
    """
    part = f.split("position_header", "/")
    well_formed = f.col("position_header").rlike(_POSITION)
    from_header = f.struct(
        part[0].cast("bigint").alias("epoch"),
        part[1].cast("bigint").alias("commit"),
        part[2].cast("bigint").alias("index"),
    )
    from_source = f.struct(
        f.lit(0).cast("bigint").alias("epoch"),
        f.col("envelope.source.lsn").alias("commit"),
        f.lit(0).cast("bigint").alias("index"),
    )
    without_header = f.col("position_header").isNull() & f.col("envelope.source.lsn").isNotNull()
    return f.when(well_formed, from_header).when(without_header, from_source)


def _reason(schemas: Mapping[int, str | None]) -> Column:
    """Say what is wrong, first things first; null when nothing is."""
    unknown = [schema_id for schema_id, schema in schemas.items() if schema is None]
    has_row = f.col("op").isin("c", "u", "r")
    checks = [
        (f.col("schema_id").isNull(), f.lit("value does not start with a zero byte and a schema id")),
        (
            f.col("schema_id").isin(unknown),
            f.format_string("schema %d is not an Avro schema of the registry", "schema_id"),
        ),
        (f.col("op").isNull(), f.format_string("value does not fit its writer schema %d as an envelope", "schema_id")),
        (f.col("op") == "t", f.lit(TRUNCATE)),
        (~(has_row | (f.col("op") == "d")), f.lit("op is none of c, u, d, r, t")),
        (has_row & f.col("after").isNull(), f.lit("after is null")),
        (~f.coalesce(f.col("id").rlike(_UUID), f.lit(False)), f.lit("id is not a UUID")),
        (f.col("position").isNull(), f.lit(f"neither header {POSITION_HEADER} nor source.lsn is a position")),
        (~f.coalesce(f.col("at").between(0, _YEAR_10000_MS - 1), f.lit(False)), f.lit("source.ts_ms is not a time")),
        (
            has_row & ~f.coalesce(f.length("country").between(1, 1000), f.lit(False)),
            f.lit("after.country is missing, empty or longer than 1000 characters"),
        ),
        (has_row & f.col("born").isNull(), f.lit("after.dob is not a date")),
    ]
    reason = f.when(*checks[0])
    for check in checks[1:]:
        reason = reason.when(*check)
    return reason
