"""Writes fetched people into Postgres, so that a repeated run changes nothing and says nothing to the change stream."""

import json
from dataclasses import asdict, dataclass

import psycopg

from users_pipeline import person
from users_pipeline.erasure import lock_out_erasures
from users_pipeline.person import Json, Rejected, Row


@dataclass(frozen=True)
class Page:
    """What became of the documents of a page: a row of `public.ingest_batches`."""

    received: int
    rejected: int
    erased: int
    inserted: int
    changed: int
    unchanged: int


_NAMES = (*(column.name for column in person.COLUMNS), "raw")
_TYPED = ", ".join([*(f"{column.name} {column.sql_type}" for column in person.COLUMNS), "raw jsonb"])
_BUSINESS = _NAMES[1:]

_IS_ERASED = """
    (EXISTS (SELECT FROM public.erasure_receipts AS receipt
             WHERE receipt.subject_sha256 = encode(sha256(convert_to({id}::text, 'UTF8')), 'hex'))
     OR EXISTS (SELECT FROM public.erasure_requests AS request WHERE request.user_id = {id}))
"""

# Two clauses keep the change stream quiet. A plain ON CONFLICT DO UPDATE writes a new row version, and so a change
# event, for every row that is there already, identical or not; the WHERE below lets only real differences through.
# The rows are locked in the order of their keys, so that two ingests cannot wait for each other. A
# deadlock with a life event, which locks in another order, is ended by Postgres and tried again by Airflow.
UPSERT = f"""
WITH incoming AS MATERIALIZED (
    SELECT *, {_IS_ERASED.format(id="document.id")} AS is_erased
    FROM jsonb_to_recordset(%(people)s::jsonb) AS document({_TYPED})
),
written AS (
    INSERT INTO public.users AS kept ({", ".join(_NAMES)})
    SELECT {", ".join(_NAMES)} FROM incoming WHERE NOT is_erased ORDER BY id
    ON CONFLICT (id) DO UPDATE SET
        {", ".join(f"{name} = EXCLUDED.{name}" for name in _BUSINESS)},
        version = kept.version + 1, updated_at = now()
    WHERE ({", ".join(f"kept.{name}" for name in _BUSINESS)})
        IS DISTINCT FROM ({", ".join(f"EXCLUDED.{name}" for name in _BUSINESS)})
    RETURNING xmax = 0 AS is_new
)
SELECT (SELECT count(*) FROM incoming WHERE is_erased),
       (SELECT count(*) FROM incoming WHERE NOT is_erased),
       count(*) FILTER (WHERE is_new),
       count(*) FILTER (WHERE NOT is_new)
FROM written
"""

_REJECT = f"""
INSERT INTO public.users_rejected (batch, page, position, user_id, field, reason, raw)
SELECT %(batch)s, %(page)s, position, user_id, field, reason, raw
FROM jsonb_to_recordset(%(rejected)s::jsonb)
    AS document(position integer, user_id uuid, field text, reason text, raw jsonb)
WHERE user_id IS NULL OR NOT {_IS_ERASED.format(id="document.user_id")}
"""

_RECORD = """
INSERT INTO public.ingest_batches (batch, page, received, rejected, erased, inserted, changed, unchanged)
VALUES (%(batch)s, %(page)s, %(received)s, %(rejected)s, %(erased)s, %(inserted)s, %(changed)s, %(unchanged)s)
ON CONFLICT (batch, page) DO UPDATE SET
    received = EXCLUDED.received, rejected = EXCLUDED.rejected, erased = EXCLUDED.erased,
    inserted = EXCLUDED.inserted, changed = EXCLUDED.changed, unchanged = EXCLUDED.unchanged, loaded_at = now()
"""


def store_page(connection: psycopg.Connection, *, batch: str, page: int, documents: list[Json]) -> Page:
    """Validate the documents of a page and write them in one transaction: people, rejected ones, and the count of both.

    Repeating it with the same documents changes no row of `users`. People who were erased, or have asked for it, are
    neither brought back nor kept as rejected.
    """
    rows, rejected = person.parse_page(documents)
    place = {"batch": batch, "page": page}
    with connection.transaction():
        lock_out_erasures(connection)
        erased, loaded, inserted, changed = _upsert(connection, rows)
        kept_rejected = _reject(connection, place, rejected)
        stored = Page(
            received=len(documents),
            rejected=kept_rejected,
            erased=erased + len(rejected) - kept_rejected,
            inserted=inserted,
            changed=changed,
            unchanged=loaded - inserted - changed,
        )
        connection.execute(_RECORD, place | asdict(stored))
    return stored


def _upsert(connection: psycopg.Connection, rows: list[Row]) -> tuple[int, int, int, int]:
    return connection.execute(UPSERT, {"people": person.to_json(rows)}).fetchone()


def _reject(connection: psycopg.Connection, place: dict[str, str | int], rejected: list[Rejected]) -> int:
    connection.execute("DELETE FROM public.users_rejected WHERE batch = %(batch)s AND page = %(page)s", place)
    documents = json.dumps([asdict(document) for document in rejected], default=str, allow_nan=False)
    return connection.execute(_REJECT, place | {"rejected": documents}).rowcount
