"""The tables in Cassandra, the journal of batches, and the additions that are made exactly once.

Every batch has a number, and the journal knows the batch in hand: its number and the offsets it is made of. The number
is a time in microseconds that only grows. It is the write timestamp of all that the batch writes, so a process that
lost its place cannot overwrite what came later; and a total remembers the last batch that was added to it, so a batch
that is done again adds nothing twice.
"""

import json
import os
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import NamedTuple

from cassandra import ConsistencyLevel
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.concurrent import execute_concurrent_with_args
from cassandra.policies import DCAwareRoundRobinPolicy, TokenAwarePolicy
from cassandra.query import PreparedStatement, SimpleStatement

from users_stats.settings import Settings
from users_stats.totals import Counts, WindowKey

WINDOWS_TTL_SECONDS = 7 * 86_400
SESSIONS_TTL_SECONDS = 30 * 86_400
STATEMENTS_IN_FLIGHT = 64
ROWS_IN_MEMORY = 10_000

Offsets = dict[int, tuple[int, int]]
"""Partition to (first offset, offset after the last one)."""

TABLES = {
    "population": """
        country text, age_band text, people bigint, last_batch bigint,
        PRIMARY KEY ((country), age_band))""",
    "changes_by_country": f"""
        country text, window_seconds int, window_start timestamp,
        inserts bigint, updates bigint, deletes bigint, last_batch bigint,
        PRIMARY KEY ((country, window_seconds), window_start))
        WITH CLUSTERING ORDER BY (window_start DESC) AND default_time_to_live = {WINDOWS_TTL_SECONDS}""",
    "user_sessions": f"""
        user_id uuid, session_start timestamp, session_end timestamp, edits int,
        PRIMARY KEY ((user_id), session_start))
        WITH CLUSTERING ORDER BY (session_start DESC) AND default_time_to_live = {SESSIONS_TTL_SECONDS}""",
    # Of an erased person only a hash of the id stays, with the position below which changes are repetitions.
    "person_states": """
        person text PRIMARY KEY, epoch bigint, commit_lsn bigint, event_index bigint, country text, age_band text,
        session_start bigint, session_end bigint, session_edits int)""",
    "batches": """
        topic text PRIMARY KEY, owner uuid, number bigint, offsets text, done boolean,
        age_at text, session_gap_seconds int)""",
}
"""Name to the rest of its definition. To build them anew they are emptied in this order, the journal last."""


class StoreError(Exception):
    """The tables do not allow the run to go on; the message says what to do."""


@dataclass(frozen=True)
class Batch:
    """A batch in hand."""

    number: int
    offsets: Offsets


class Store:
    """One run's access to the keyspace. Taking it over stops any earlier run at its next batch."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._keyspace = settings.keyspace
        self._owner = uuid.uuid4()
        self._cluster = Cluster(
            [settings.cassandra_host],
            port=settings.cassandra_port,
            auth_provider=_credentials(),
            protocol_version=5,
            execution_profiles={
                EXEC_PROFILE_DEFAULT: ExecutionProfile(
                    load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy()),
                    consistency_level=ConsistencyLevel.LOCAL_QUORUM,
                    serial_consistency_level=ConsistencyLevel.LOCAL_SERIAL,
                    request_timeout=30,
                )
            },
        )
        self._session = self._cluster.connect()
        self._create_tables()
        self._prepare()

    def close(self) -> None:
        """Close the connections."""
        self._cluster.shutdown()

    def take_over(self) -> None:
        """Become the one run that may write, after a check that the tables were built with the same settings."""
        topic, age_at, gap = self._settings.topic, self._settings.age_at.isoformat(), self._settings.session_gap_seconds
        if self._settings.reset:
            self._empty_tables()
        self._refuse_other_topics()
        self._session.execute(
            f"INSERT INTO {self._keyspace}.batches (topic, number, done, age_at, session_gap_seconds)"
            " VALUES (%s, 0, true, %s, %s) IF NOT EXISTS",
            (topic, age_at, gap),
        )
        row = self._journal()
        if row.age_at is None:
            raise StoreError(
                f"a --reset of keyspace {self._keyspace} was cut off, and some of its tables are empty;"
                " repeat it with --mode backfill --reset"
            )
        if (row.age_at, row.session_gap_seconds) != (age_at, gap):
            raise StoreError(
                f"keyspace {self._keyspace} was built with --age-at {row.age_at} and --session-gap-seconds"
                f" {row.session_gap_seconds}; keep them, or build it anew with --mode backfill --reset"
            )
        update = f"UPDATE {self._keyspace}.batches SET owner = %s WHERE topic = %s IF EXISTS"
        self._session.execute(update, (self._owner, topic))

    def _empty_tables(self) -> None:
        """Truncate all tables. Until the journal goes too, its missing day says that this has not ended."""
        update = f"UPDATE {self._keyspace}.batches SET owner = %s, age_at = null WHERE topic = %s IF EXISTS"
        for topic in self._topics():
            self._session.execute(update, (self._owner, topic))
        for table in TABLES:
            self._session.execute(f"TRUNCATE {self._keyspace}.{table}")

    def _refuse_other_topics(self) -> None:
        others = [topic for topic in self._topics() if topic != self._settings.topic]
        if others:
            raise StoreError(
                f"keyspace {self._keyspace} holds the statistics of topic {others[0]}; name another --keyspace,"
                " or empty it with --mode backfill --reset"
            )

    def _topics(self) -> list[str]:
        return [row.topic for row in self._session.execute(f"SELECT topic FROM {self._keyspace}.batches")]

    def is_new(self) -> bool:
        """Whether no batch was ever begun."""
        return self._journal().number == 0

    def unfinished(self) -> Batch | None:
        """Return the batch that an earlier run began and did not finish."""
        row = self._journal()
        if row.done:
            return None
        offsets = {int(partition): (first, end) for partition, (first, end) in json.loads(row.offsets).items()}
        return Batch(row.number, offsets)

    def begin(self, offsets: Offsets) -> Batch:
        """Note in the journal that these offsets are going to be applied."""
        # Two apart: deletes of a batch take the number below it, since Cassandra prefers a delete at equal timestamps.
        number = max(time.time_ns() // 1000, self._journal().number + 2)
        self._update_journal("number = %s, offsets = %s, done = false", (number, json.dumps(offsets)))
        return Batch(number, offsets)

    def finish(self, batch: Batch) -> None:
        """Note that all of the batch is in the tables."""
        self._update_journal("number = %s, done = true", (batch.number,))

    def add_population(self, batch: Batch, people: Mapping[tuple[str, str], int]) -> None:
        """Add people, or take them away where negative, by (country, age band).

        Zero is an addition too: it marks the group as done, should the batch be done again with a part of its people.
        """
        self._add(batch, self._population, {group: (number,) for group, number in people.items()})

    def add_changes(self, batch: Batch, counts: Mapping[WindowKey, Counts]) -> None:
        """Add to the windows."""
        self._add(
            batch,
            self._changes,
            {(country, seconds, _time(start)): number for (country, seconds, start), number in counts.items()},
        )

    def erase_sessions(self, batch: Batch, user_ids: Iterable[str]) -> None:
        """Delete the sessions of users, except those that the same batch writes."""
        for ids in _chunks(user_ids):
            self._run(self._erase, [(batch.number - 1, uuid.UUID(user_id)) for user_id in ids])

    def _add(self, batch: Batch, total: "_Total", additions: Mapping[tuple, tuple[int, ...]]) -> None:
        for keys in _chunks(additions):
            found = self._run(total.select, keys)
            rows = []
            for key, row in zip(keys, found, strict=True):
                *sums, last_batch = row or (*(0 for _ in additions[key]), -1)
                if last_batch < batch.number:
                    new = (old + more for old, more in zip(sums, additions[key], strict=True))
                    rows.append((*key, *new, batch.number, batch.number))
            self._run(total.insert, rows)

    def _run(self, statement: PreparedStatement, parameters: list[tuple]) -> list[tuple | None]:
        """Execute a statement for each of the parameters; returns the first row of each."""
        results = execute_concurrent_with_args(self._session, statement, parameters, concurrency=STATEMENTS_IN_FLIGHT)
        return [result.result_or_exc.one() for result in results]

    def _journal(self):
        select = SimpleStatement(
            f"SELECT * FROM {self._keyspace}.batches WHERE topic = %s", consistency_level=ConsistencyLevel.LOCAL_SERIAL
        )
        return self._session.execute(select, (self._settings.topic,)).one()

    def _update_journal(self, assignments: str, values: tuple) -> None:
        update = f"UPDATE {self._keyspace}.batches SET {assignments} WHERE topic = %s IF owner = %s"
        result = self._session.execute(update, (*values, self._settings.topic, self._owner))
        if not result.was_applied:
            raise StoreError(f"another run of the job took keyspace {self._keyspace} over; only one may write to it")

    def _create_tables(self) -> None:
        self._session.execute(
            f"CREATE KEYSPACE IF NOT EXISTS {self._keyspace}"
            " WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
        )
        for table, definition in TABLES.items():
            self._session.execute(f"CREATE TABLE IF NOT EXISTS {self._keyspace}.{table} ({definition}")

    def _prepare(self) -> None:
        self._population = self._total("population", ("country", "age_band"), ("people",))
        self._changes = self._total("changes_by_country", ("country", "window_seconds", "window_start"), Counts._fields)
        self._erase = self._session.prepare(
            f"DELETE FROM {self._keyspace}.user_sessions USING TIMESTAMP ? WHERE user_id = ?"
        )
        for statement in (*self._population, *self._changes, self._erase):
            statement.is_idempotent = True

    def _total(self, table: str, key: tuple[str, ...], sums: tuple[str, ...]) -> "_Total":
        columns = (*key, *sums, "last_batch")
        return _Total(
            self._session.prepare(
                f"SELECT {', '.join((*sums, 'last_batch'))} FROM {self._keyspace}.{table}"
                f" WHERE {' AND '.join(f'{column} = ?' for column in key)}"
            ),
            self._session.prepare(
                f"INSERT INTO {self._keyspace}.{table} ({', '.join(columns)})"
                f" VALUES ({', '.join('?' for _ in columns)}) USING TIMESTAMP ?"
            ),
        )


class _Total(NamedTuple):
    """Reads the sums and the last batch of a row by its key; writes key, sums, batch, timestamp."""

    select: PreparedStatement
    insert: PreparedStatement


def _credentials() -> PlainTextAuthProvider | None:
    user = os.environ.get("CASSANDRA_USERNAME")
    return PlainTextAuthProvider(user, os.environ.get("CASSANDRA_PASSWORD", "")) if user else None


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _chunks(items: Iterable) -> Iterator[list]:
    iterator = iter(items)
    while chunk := list(islice(iterator, ROWS_IN_MEMORY)):
        yield chunk
