"""Compares the users table with its mirror while writes go on, and says which keys differ.

    quiet point → digests of 256 buckets on both sides → digests of the rows in the buckets that differ → suspects
    suspects: read Postgres, quiet point, read Cassandra, read Postgres again

A suspect that Postgres held unchanged around a quiet point must be in Cassandra as it was; if not, it differs. One that
changed meanwhile proves nothing and is looked at again, a few times.
"""

import time
import uuid
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from users_pipeline import canonical
from users_pipeline.canonical import Column
from users_pipeline.erasure import lock_out_erasures
from users_pipeline.mirror import Mirror
from users_pipeline.quiet_point import Sluice

LOOKS = 5
"""How often rows are looked at that change all the time."""

NAMED_KEYS = 100
"""How many differing keys a reconciliation names."""

Digests = dict[uuid.UUID, int]


@dataclass
class Reconciliation:
    """The result of a comparison: a row of `public.reconciliations`, whose comments say what the fields mean."""

    run: str
    started_at: datetime
    slot_lag_bytes: int
    group_lag_records: int
    verdict: str = "late"
    quiet_seconds: float | None = None
    postgres_rows: int | None = None
    cassandra_rows: int | None = None
    differing_buckets: int | None = None
    differing: list[uuid.UUID] = field(default_factory=list)
    moving: list[uuid.UUID] = field(default_factory=list)


@dataclass(frozen=True)
class Sides:
    """Both sides of a comparison and the way between them."""

    database: psycopg.Connection
    mirror: Mirror
    sluice: Sluice
    columns: list[Column]

    @classmethod
    def of(cls, database: psycopg.Connection, mirror: Mirror, sluice: Sluice) -> "Sides":
        """Take all columns of the users table.

        Raises:
            MirrorIncomplete: the mirror lacks one.

        """
        statement = """
            SELECT column_name::text, udt_name::text FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name = 'users' ORDER BY ordinal_position
        """
        columns = [Column(*row) for row in database.execute(statement)]
        mirror.require([column.name for column in columns])
        return cls(database, mirror, sluice, columns)

    @property
    def names(self) -> list[str]:
        """The names of the columns; `id` is among them."""
        return [column.name for column in self.columns]


def reconcile(sides: Sides, run: str, wait_seconds: float) -> Reconciliation:
    """Compare both sides; each quiet point may take `wait_seconds`. If the first takes longer the verdict is `late`."""
    start = time.monotonic()
    lsn = sides.sluice.wal_position()
    result = Reconciliation(
        run=run,
        started_at=sides.database.execute("SELECT clock_timestamp()").fetchone()[0],
        slot_lag_bytes=max(sides.sluice.unconfirmed_bytes(lsn), 0),
        group_lag_records=sides.sluice.records_behind(sides.sluice.end_offsets()),
    )
    if not sides.sluice.wait_for_quiet_point(lsn, start + wait_seconds):
        return result
    result.quiet_seconds = time.monotonic() - start
    suspects = _find_suspects(sides, result)
    if _judge_suspects(sides, suspects, result, wait_seconds):
        result.verdict = "different" if result.differing else "moving" if result.moving else "equal"
    return result


def _find_suspects(sides: Sides, result: Reconciliation) -> set[uuid.UUID]:
    left, result.postgres_rows = _postgres_buckets(sides)
    right, result.cassandra_rows = _cassandra_buckets(sides)
    buckets = {bucket for bucket in range(canonical.BUCKETS) if left[bucket] != right[bucket]}
    result.differing_buckets = len(buckets)
    if not buckets:
        return set()
    return _unequal(_postgres_digests_of_buckets(sides, buckets), _cassandra_digests_of_buckets(sides, buckets))


def _judge_suspects(sides: Sides, suspects: set[uuid.UUID], result: Reconciliation, wait_seconds: float) -> bool:
    """Sort suspects into equal, differing and moving ones; False if a quiet point took too long."""
    result.moving = sorted(suspects)
    for _ in range(LOOKS):
        if not result.moving:
            break
        before = _postgres_digests(sides, result.moving)
        deadline = time.monotonic() + wait_seconds
        if not sides.sluice.wait_for_quiet_point(sides.sluice.wal_position(), deadline):
            return False
        mirrored = _cassandra_digests(sides, result.moving)
        after = _postgres_digests(sides, result.moving)
        moved = _unequal(before, after)
        result.differing += sorted(_unequal(before, mirrored) - moved)
        result.moving = sorted(moved)
    return True


def _unequal(left: Digests, right: Digests) -> set[uuid.UUID]:
    return {key for key in left.keys() | right.keys() if left.get(key) != right.get(key)}


def _postgres_buckets(sides: Sides) -> tuple[Counter[int], int]:
    """Return the sum of the row digests by bucket, and the number of rows. A sum needs no order of rows."""
    digest, bucket = canonical.sql_row_digest(sides.columns), canonical.sql_bucket("id")
    statement = f"SELECT {bucket}, sum({digest}), count(*) FROM public.users GROUP BY 1"
    sums, rows = Counter[int](), 0
    for number, digests, count in sides.database.execute(statement):
        sums[number] = int(digests)
        rows += count
    return sums, rows


def _cassandra_buckets(sides: Sides) -> tuple[Counter[int], int]:
    key = sides.names.index("id")
    sums, rows = Counter[int](), 0
    for cells in sides.mirror.scan(sides.names):
        sums[canonical.bucket(cells[key])] += canonical.row_digest(cells)
        rows += 1
    return sums, rows


def _postgres_digests_of_buckets(sides: Sides, buckets: set[int]) -> Digests:
    return _select_digests(sides, f"{canonical.sql_bucket('id')} = ANY (%s)", sorted(buckets))


def _postgres_digests(sides: Sides, keys: list[uuid.UUID]) -> Digests:
    return _select_digests(sides, "id = ANY (%s)", keys)


def _select_digests(sides: Sides, condition: str, parameter: list[int] | list[uuid.UUID]) -> Digests:
    digest = canonical.sql_row_digest(sides.columns)
    statement = f"SELECT id, {digest} FROM public.users WHERE {condition}"
    return dict(sides.database.execute(statement, [parameter]).fetchall())


def _cassandra_digests_of_buckets(sides: Sides, buckets: set[int]) -> Digests:
    key = sides.names.index("id")
    rows = (cells for cells in sides.mirror.scan(sides.names) if canonical.bucket(cells[key]) in buckets)
    return {cells[key]: canonical.row_digest(cells) for cells in rows}


def _cassandra_digests(sides: Sides, keys: Iterable[uuid.UUID]) -> Digests:
    rows = sides.mirror.look_up(sides.names, keys)
    return {key: canonical.row_digest(cells) for key, cells in rows.items()}


_RECORD = """
INSERT INTO public.reconciliations (
    run, started_at, finished_at, verdict, postgres_rows, cassandra_rows, differing_buckets, differing_count,
    differing_keys, moving_count, slot_lag_bytes, group_lag_records, quiet_seconds)
VALUES (
    %(run)s, %(started_at)s, clock_timestamp(), %(verdict)s, %(postgres_rows)s, %(cassandra_rows)s,
    %(differing_buckets)s, %(differing_count)s,
    ARRAY(SELECT key FROM unnest(%(differing_keys)s::uuid[]) WITH ORDINALITY AS named (key, place)
          WHERE NOT EXISTS (
              SELECT FROM public.erasure_receipts
              WHERE completed_at >= %(started_at)s
                AND subject_sha256 = encode(sha256(convert_to(key::text, 'UTF8')), 'hex'))
          ORDER BY place),
    %(moving_count)s, %(slot_lag_bytes)s,
    %(group_lag_records)s, %(quiet_seconds)s)
ON CONFLICT (run) DO UPDATE SET
    started_at = EXCLUDED.started_at, finished_at = EXCLUDED.finished_at, verdict = EXCLUDED.verdict,
    postgres_rows = EXCLUDED.postgres_rows, cassandra_rows = EXCLUDED.cassandra_rows,
    differing_buckets = EXCLUDED.differing_buckets, differing_count = EXCLUDED.differing_count,
    differing_keys = EXCLUDED.differing_keys, moving_count = EXCLUDED.moving_count,
    slot_lag_bytes = EXCLUDED.slot_lag_bytes, group_lag_records = EXCLUDED.group_lag_records,
    quiet_seconds = EXCLUDED.quiet_seconds
"""


def record(database: psycopg.Connection, result: Reconciliation) -> None:
    """Write the result; a repeated run replaces its row. Whose erasure was completed meanwhile is not named."""
    counts = {
        "differing_count": len(result.differing),
        "differing_keys": result.differing[:NAMED_KEYS],
        "moving_count": len(result.moving),
    }
    with database.transaction():
        lock_out_erasures(database)
        database.execute(_RECORD, vars(result) | counts)


def breach(database: psycopg.Connection, run: str, max_lag_seconds: float) -> str | None:
    """Say what of a recorded result breaks the objectives, None if nothing does."""
    statement = "SELECT verdict, differing_count, quiet_seconds FROM public.reconciliations WHERE run = %s"
    verdict, differing, quiet_seconds = database.execute(statement, [run]).fetchone()
    if verdict == "different":
        return (
            f"{differing} rows differ in Cassandra; `differing_keys` of public.reconciliations names them, run `{run}`"
        )
    if verdict == "late":
        return (
            "Sluice did not catch up within USERS_RECONCILE_WAIT_SECONDS: see the state of its connectors and the slot"
        )
    if quiet_seconds > max_lag_seconds:
        return (
            f"Sluice took {quiet_seconds:.1f} s to catch up; USERS_RECONCILE_MAX_LAG_SECONDS allows {max_lag_seconds}"
        )
    return None
