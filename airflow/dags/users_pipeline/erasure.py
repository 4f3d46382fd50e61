"""Erases people who asked for it, and proves it without keeping anything that says who they were.

A request passes three states, and each step can be repeated after a crash:

    open       erasure_requests.user_id is set, no receipt
    deleted    a receipt exists; it is written in the transaction that deletes
    completed  the mirror was seen without the row; the request and the reconciliations have lost the uuid
"""

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from users_pipeline.mirror import Mirror

ERASURE_LOCK = 0x6572_6173
"""Key of the advisory lock between those who write keys of people and those who erase them; any constant does."""


def lock_out_erasures(connection: psycopg.Connection) -> None:
    """Keep erasures out until the end of the transaction; other writers are let in.

    Without it a writer could look for a receipt, find none, and write after the delete that it did not see.
    """
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", [ERASURE_LOCK])


@contextmanager
def _erasing(connection: psycopg.Connection) -> Iterator[None]:
    """Open a transaction that nobody of `lock_out_erasures` runs beside."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [ERASURE_LOCK])
        yield


def digest(user_id: uuid.UUID) -> str:
    """Return what a receipt says of a person: sha256 of the uuid's text, in hexadecimal."""
    return hashlib.sha256(str(user_id).encode()).hexdigest()


@dataclass(frozen=True)
class Erasure:
    """An erasure that is not yet completed."""

    request_id: int
    user_id: uuid.UUID


_OPEN = "SELECT id, user_id FROM public.erasure_requests WHERE user_id IS NOT NULL ORDER BY id"

_DELETED = """
SELECT request.id, request.user_id
FROM public.erasure_requests AS request JOIN public.erasure_receipts AS receipt ON receipt.request_id = request.id
WHERE request.user_id IS NOT NULL
ORDER BY request.id
"""

_DELETE = """
WITH deleted_users AS (
    DELETE FROM public.users WHERE id = %(user_id)s RETURNING 1
),
deleted_rejected AS (
    DELETE FROM public.users_rejected WHERE user_id = %(user_id)s RETURNING 1
)
INSERT INTO public.erasure_receipts
    (request_id, subject_sha256, requested_at, deleted_at, users_deleted, rejected_deleted)
SELECT id, %(subject)s, requested_at, now(),
       (SELECT count(*) FROM deleted_users), (SELECT count(*) FROM deleted_rejected)
FROM public.erasure_requests WHERE id = %(request_id)s
ON CONFLICT (request_id) DO UPDATE SET
    users_deleted = erasure_receipts.users_deleted + EXCLUDED.users_deleted,
    rejected_deleted = erasure_receipts.rejected_deleted + EXCLUDED.rejected_deleted
"""

# Until then comparisons may name the person: the key is what somebody needs who looks for a row that does not go.
_COMPLETE = """
WITH unnamed AS (
    UPDATE public.reconciliations SET differing_keys = array_remove(differing_keys, %(user_id)s)
    WHERE %(user_id)s = ANY (differing_keys)
),
request AS (
    UPDATE public.erasure_requests SET user_id = NULL, completed_at = now()
    WHERE id = %(request_id)s AND user_id IS NOT NULL
    RETURNING id, completed_at
)
UPDATE public.erasure_receipts AS receipt
SET completed_at = request.completed_at, mirror_clean_at = clock_timestamp(), mirror_lsn = %(lsn)s
FROM request WHERE receipt.request_id = request.id
"""


def delete_people(connection: psycopg.Connection) -> int:
    """Delete everybody who has an open request, one transaction each, and return the number of such requests.

    People are deleted again if a request was there before: whoever came back in between goes too.
    """
    erasures = [Erasure(*row) for row in connection.execute(_OPEN)]
    for erasure in erasures:
        with _erasing(connection):
            connection.execute(
                _DELETE,
                {
                    "request_id": erasure.request_id,
                    "user_id": erasure.user_id,
                    "subject": digest(erasure.user_id),
                },
            )
    return len(erasures)


def write_receipts(connection: psycopg.Connection, mirror: Mirror, lsn: str) -> tuple[int, int]:
    """Complete the receipts of those who are gone from the mirror.

    Args:
        connection: to the users database.
        mirror: read after Sluice has carried everything up to `lsn` into it.
        lsn: a WAL position. Requests that came later are left alone: they have no receipt yet.

    Returns:
        How many were completed, and how many were found in the mirror.

    """
    deleted = [Erasure(*row) for row in connection.execute(_DELETED)]
    present = mirror.look_up(["id"], [erasure.user_id for erasure in deleted])
    gone = [erasure for erasure in deleted if erasure.user_id not in present]
    for erasure in gone:
        with _erasing(connection):
            connection.execute(_COMPLETE, {"request_id": erasure.request_id, "user_id": erasure.user_id, "lsn": lsn})
    return len(gone), len(deleted) - len(gone)
