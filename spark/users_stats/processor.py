"""What is done with one batch of messages, whether it comes from the stream, from a back-fill or from the journal.

    messages ─▶ decode ─▶ one row per person: its changes + its state ─▶ effect ─┬─▶ 1 totals, guarded
                  │                                                              ├─▶ 2 sessions
                  └─▶ dead letters                                               └─▶ 3 states

The order makes a batch exact wherever it is cut off. Until the first state is written, the same effects can be
computed again; a total that got its addition knows it by the number of the batch; sessions are absolute values.
Once states are written, the persons in question have no effect any more, and need none: all totals are there.
"""

import json
import logging
import time
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f

from users_stats import person
from users_stats.decode import TRUNCATE, changes, dead_letters, framed
from users_stats.registry import SchemaRegistry
from users_stats.settings import EARLIEST, Settings
from users_stats.store import WINDOWS_TTL_SECONDS, Batch, Offsets, Store, StoreError
from users_stats.topics import create_missing_topic
from users_stats.totals import window_counts

log = logging.getLogger(__name__)

CASSANDRA = "org.apache.spark.sql.cassandra"

EFFECT = (
    "struct<state: struct<position: struct<epoch: bigint, commit_lsn: bigint, event_index: bigint>, country: string,"
    " age_band: string, session_start: bigint, session_end: bigint, session_edits: int>,"
    " moves: array<struct<country: string, age_band: string, people: int>>,"
    " tallies: array<struct<country: string, minute: bigint, op: string>>,"
    " sessions: array<struct<start: bigint, end: bigint, edits: int>>,"
    " erased: boolean>"
)
"""`person.Effect` as Spark's type."""


class TruncateError(Exception):
    """The table was emptied: a change that is of no one person and has no place in their order."""


@dataclass
class Progress:
    """What became of the messages of the last batch."""

    messages: int = 0
    tombstones: int = 0
    bad: int = 0
    seconds: float = 0.0

    def __str__(self):
        return f"messages={self.messages} tombstones={self.tombstones} bad={self.bad} seconds={self.seconds:.1f}"


class Processor:
    """Applies batches to the tables, one at a time."""

    def __init__(self, spark: SparkSession, settings: Settings, store: Store, registry: SchemaRegistry):
        self._spark = spark
        self._settings = settings
        self._store = store
        self._registry = registry
        self.progress = Progress()

    def process(self, messages: DataFrame, *, has_predecessor: bool = False) -> None:
        """Apply messages of Kafka, with headers; those that cannot be read go to the dead letter topic.

        `has_predecessor` says that a checkpoint knows of batches before this one.
        """
        self._process(messages, None, has_predecessor=has_predecessor)

    def resume(self) -> None:
        """Finish the batch that an earlier run left in the journal."""
        batch = self._store.unfinished()
        if batch is not None:
            log.info("finishing batch %d of an earlier run", batch.number)
            self._process(self._read(batch.offsets), batch)

    def _process(self, messages: DataFrame, unfinished: Batch | None, *, has_predecessor: bool = False) -> None:
        started = time.monotonic()
        messages = framed(messages).persist()
        try:
            offsets, schema_ids, self.progress = _survey(messages)
            if not offsets:
                return
            if has_predecessor:
                self._refuse_lost_tables(offsets)
            schemas = {schema_id: self._registry.schema(schema_id) for schema_id in sorted(schema_ids)}
            decoded = changes(messages.where("value IS NOT NULL"), schemas).persist()
            try:
                self.progress.bad = self._bad(decoded)
                batch = unfinished or self._store.begin(offsets)
                self._apply(batch, decoded)
                self._store.finish(batch)
            finally:
                decoded.unpersist()
        finally:
            messages.unpersist()
            self.progress.seconds = time.monotonic() - started

    def _refuse_lost_tables(self, offsets: Offsets) -> None:
        """Stop when the tables are new and the checkpoint is not: what it has behind it would never be counted.

        A predecessor that found the topic empty leaves the offsets at 0; other starting offsets leave out on purpose.
        """
        begins_late = any(first > 0 for first, _ in offsets.values())
        if begins_late and self._settings.starting_offsets == EARLIEST and self._store.is_new():
            raise StoreError(
                f"the tables of keyspace {self._settings.keyspace} are new, but --checkpoint"
                f" {self._settings.checkpoint} goes on behind messages that they lack: name a new --checkpoint, or fill"
                " them first with --mode backfill"
            )

    def _bad(self, decoded: DataFrame) -> int:
        """Count the messages that are no changes, and stop at one that cannot be passed over."""
        reasons = decoded.where("reason IS NOT NULL").groupBy("reason")
        rows = reasons.agg(
            f.count("*").alias("number"), f.min(f.struct("offset", "partition")).alias("first")
        ).collect()
        for row in rows:
            if row.reason == TRUNCATE:
                raise TruncateError(
                    f"{self._settings.topic} says that the table was truncated, at offset {row.first.offset} of"
                    f" partition {row.first.partition}; go on behind it with a new --checkpoint, --reset and"
                    " --starting-offsets with the offsets behind it, and keep skipped.operations=t in the source"
                )
            log.warning("dead letters: %d times %s", row.number, row.reason)
        return sum(row.number for row in rows)

    def _apply(self, batch: Batch, decoded: DataFrame) -> None:
        if self.progress.bad:
            self._send_dead_letters(decoded.where("reason IS NOT NULL"))
        people = self._effects(decoded.where("reason IS NULL")).persist()
        try:
            self._add_totals(batch, people)
            self._write_sessions(batch, people)
            self._write_states(batch, people)
        finally:
            people.unpersist()

    def _send_dead_letters(self, bad: DataFrame) -> None:
        topic = self._settings.dead_letter_topic
        create_missing_topic(self._spark, self._settings, topic)
        dead_letters(bad).write.format("kafka").options(**self._settings.kafka_options, topic=topic).save()

    def _effects(self, good: DataFrame) -> DataFrame:
        """One row for each person that something new happened to: `id`, `person` (hash of it) and `effect`."""
        age_at, gap_ms = self._settings.age_at, self._settings.session_gap_seconds * 1000
        people = good.groupBy("id").agg(f.sort_array(f.collect_list("change")).alias("changes"))
        # A direct join reads only the states that are asked for; it wants the bare table on its right side.
        states = self._spark.read.format(CASSANDRA).options(**self._table("person_states"), directJoinSetting="on")
        joined = people.withColumn("person", f.sha2("id", 256)).join(states.load(), "person", "left")
        position = f.struct("epoch", "commit_lsn", "event_index")
        state = f.struct(position, "country", "age_band", "session_start", "session_end", "session_edits")
        effect = f.udf(lambda state, changes: _effect(state, changes, age_at, gap_ms), EFFECT)
        known = f.when(f.col("epoch").isNotNull(), state)
        return joined.select("id", "person", effect(known, "changes").alias("effect"))

    def _add_totals(self, batch: Batch, people: DataFrame) -> None:
        moves = people.select(f.explode("effect.moves").alias("move")).groupBy("move.country", "move.age_band")
        population = moves.agg(f.sum("move.people")).collect()
        self._store.add_population(batch, {(country, age_band): number for country, age_band, number in population})

        tallies = people.select(f.explode("effect.tallies").alias("tally")).select("tally.*")
        counts = tallies.groupBy("country", "minute", "op").count().collect()
        # By the number of the batch, not by the clock: a batch that is done again leaves out the same windows.
        oldest_ms = batch.number // 1000 - WINDOWS_TTL_SECONDS * 1000
        self._store.add_changes(batch, window_counts(counts, oldest_ms))

    def _write_sessions(self, batch: Batch, people: DataFrame) -> None:
        erased = people.where("effect.erased").select("id").toLocalIterator()
        self._store.erase_sessions(batch, (row.id for row in erased))
        sessions = people.select("id", f.explode("effect.sessions").alias("session")).select(
            f.col("id").alias("user_id"),
            f.timestamp_millis("session.start").alias("session_start"),
            f.timestamp_millis("session.end").alias("session_end"),
            "session.edits",
        )
        self._write(batch, sessions, "user_sessions")

    def _write_states(self, batch: Batch, people: DataFrame) -> None:
        states = people.where("effect IS NOT NULL").select("person", "effect.state.position.*", "effect.state.*")
        self._write(batch, states.drop("position"), "person_states")

    def _write(self, batch: Batch, rows: DataFrame, table: str) -> None:
        options = {**self._table(table), "spark.cassandra.output.timestamp": str(batch.number)}
        rows.write.format(CASSANDRA).mode("append").options(**options).save()

    def _table(self, name: str) -> dict[str, str]:
        return {"keyspace": self._settings.keyspace, "table": name}

    def _read(self, offsets: Offsets) -> DataFrame:
        def at(place: int) -> str:
            return json.dumps({self._settings.topic: {partition: ends[place] for partition, ends in offsets.items()}})

        assigned = json.dumps({self._settings.topic: list(offsets)})
        reader = self._spark.read.format("kafka").options(**self._settings.kafka_options, includeHeaders="true")
        return reader.options(assign=assigned, startingOffsets=at(0), endingOffsets=at(1)).load()


def _survey(messages: DataFrame) -> tuple[Offsets, set[int], Progress]:
    """Read off which offsets the messages are, and which schemas they were written with."""
    groups = messages.groupBy("partition", "schema_id", f.isnull("value").alias("tombstone"))
    rows = groups.agg(
        f.min("offset").alias("first"), f.max("offset").alias("last"), f.count("*").alias("number")
    ).collect()
    offsets: Offsets = {}
    for row in rows:
        first, end = offsets.get(row.partition, (row.first, 0))
        offsets[row.partition] = (min(first, row.first), max(end, row.last + 1))
    schema_ids = {row.schema_id for row in rows if row.schema_id is not None}
    tombstones = sum(row.number for row in rows if row.tombstone)
    return offsets, schema_ids, Progress(messages=sum(row.number for row in rows), tombstones=tombstones)


def _effect(state, changes: list, age_at: date, gap_ms: int) -> person.Effect | None:
    """Call `person.effect` with rows of Spark; runs on the executors."""
    known = person.State(*state) if state else None
    return person.effect(known, (person.Change(*change) for change in changes), age_at, gap_ms)
