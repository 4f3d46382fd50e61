"""What happens to people: changes of the users table in all the shapes that a change stream must carry.

Every event is one transaction. Whom it meets and what it brings follow from the run's seed and the rows that are there.
It leaves a row in `public.life_events`, so that a repeated run does not apply it again. Documents (`raw`) stay as they
were fetched, unless the event says otherwise.
"""

import random
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import psycopg

from users_pipeline.erasure import lock_out_erasures

LARGE_BYTES = 8_000
"""Documents from this size on are stored out of line (TOAST): an update that leaves them alone does not log them."""

_ATTACHMENT = range(9_000, 16_000)
"""Length of the part that makes a document large: letters and digits in no order, which Postgres cannot compress."""

_TOUCH = "version = version + 1, updated_at = clock_timestamp()"

_MAY_CHANGE = "NOT EXISTS (SELECT FROM public.erasure_requests AS request WHERE request.user_id = users.id)"
"""Nobody changes who has asked to be erased; a changed key would hide the person from the request."""

_CLEARED = ("phone", "cell", "national_id_value")


@dataclass(frozen=True)
class Options:
    """How much happens in a run.

    `people` meet each ordinary event; the big transaction changes `big_transaction_rows`, none if 0. Rare events come
    in one run of `rare_one_in`, each by its own draw.
    """

    people: int
    big_transaction_rows: int
    rare_one_in: int


class Event:
    """An open transaction with the means to change people in it."""

    def __init__(self, connection: psycopg.Connection, rng: random.Random, options: Options) -> None:
        """`rng` is the event's own: its draws depend on the run and the event only."""
        self.connection = connection
        self.rng = rng
        self.options = options

    def sample(self, count: int, condition: str = "true") -> list[uuid.UUID]:
        """Choose people by the order of their keys, from a drawn one on, and lock them.

        Keys are random, so neighbours have nothing in common; and the index finds them without reading the table.
        """
        start = uuid.UUID(int=self.rng.getrandbits(128))
        chosen: list[uuid.UUID] = []
        for side in ("id >= %s", "id < %s"):
            statement = (
                f"SELECT id FROM public.users WHERE {side} AND {_MAY_CHANGE} AND {condition} "
                "ORDER BY id LIMIT %s FOR UPDATE"
            )
            rows = self.connection.execute(statement, [start, count - len(chosen)])
            chosen += [key for (key,) in rows]
        return chosen

    def update(self, assignments: str, parameters: list[object], keys: list[uuid.UUID]) -> int:
        """Change the given rows alike and return their number."""
        statement = f"UPDATE public.users SET {assignments}, {_TOUCH} WHERE id = ANY (%s)"
        return self.connection.execute(statement, [*parameters, keys]).rowcount

    def change_email(self, key: uuid.UUID) -> int:
        """Give a person a new e-mail address."""
        return self.update("email = %s", [f"{self.noise(12).lower()}@example.org"], [key])

    def change_phone(self, keys: list[uuid.UUID]) -> int:
        """Give people a new telephone number, one and the same: they move into one office."""
        return self.update("phone = %s", [f"+{self.rng.randrange(10**10, 10**11)}"], keys)

    def move_house(self, key: uuid.UUID) -> int:
        """Move a person to the street of another one; nothing happens where there is no other."""
        neighbour = self.sample(1, f"id <> '{key}'")
        statement = """
            UPDATE public.users SET
                street_number = %s, street_name = new.street_name, city = new.city, state = new.state,
                country = new.country, postcode = new.postcode, latitude = new.latitude, longitude = new.longitude,
                timezone_offset = new.timezone_offset, timezone_description = new.timezone_description,
                version = users.version + 1, updated_at = clock_timestamp()
            FROM public.users AS new WHERE users.id = %s AND new.id = ANY (%s)
        """
        parameters = [self.rng.randrange(1, 10_000), key, neighbour]
        return self.connection.execute(statement, parameters).rowcount

    def noise(self, length: int) -> str:
        """Return letters and digits in no order."""
        return "".join(self.rng.choices(string.ascii_letters + string.digits, k=length))


def _move_house(event: Event) -> int:
    return sum(event.move_house(key) for key in event.sample(event.options.people))


def _change_email(event: Event) -> int:
    return sum(event.change_email(key) for key in event.sample(event.options.people))


def _change_phone(event: Event) -> int:
    return sum(event.change_phone([key]) for key in event.sample(event.options.people))


def _clear_field(event: Event) -> int:
    """Set one of the columns that may be NULL to NULL."""
    keys = event.sample(event.options.people)
    return sum(event.update(f"{event.rng.choice(_CLEARED)} = NULL", [], [key]) for key in keys)


def _keep_large_document(event: Event) -> int:
    """Change a row but not its large document: the stream says of that value only that it is as before."""
    keys = event.sample(event.options.people, f"pg_column_size(raw) >= {LARGE_BYTES}")
    return sum(event.change_email(key) for key in keys)


def _many_changes(event: Event) -> int:
    """Change one row several times in one transaction; a reader must end with the last."""
    changes = 0
    for key in event.sample(1):
        changes += event.change_email(key) + event.move_house(key) + event.change_phone([key])
        changes += event.update("phone = NULL", [], [key]) + event.change_email(key)
    return changes


def _grow_document(event: Event) -> int:
    """Make the documents of some people large."""
    changes = 0
    for key in event.sample(max(event.options.people // 4, 1)):
        attachment = event.noise(event.rng.choice(_ATTACHMENT))
        changes += event.update("raw = raw || jsonb_build_object('attachment', %s::text)", [attachment], [key])
    return changes


def _change_key(event: Event) -> int:
    """Give a person another key, whoever has a large document first: it must come along though it is not in the log."""
    changes = 0
    for key in event.sample(1, f"pg_column_size(raw) >= {LARGE_BYTES}") or event.sample(1):
        new_key = uuid.UUID(int=event.rng.getrandbits(128), version=4)
        changes += event.update("id = %s", [new_key], [key])
    return changes


def _big_transaction(event: Event) -> int:
    """Change many rows at once: more than a reader can hold in memory, if it is set so."""
    return event.change_phone(event.sample(event.options.big_transaction_rows))


ORDINARY: dict[str, Callable[[Event], int]] = {
    "move_house": _move_house,
    "change_email": _change_email,
    "change_phone": _change_phone,
    "clear_field": _clear_field,
    "keep_large_document": _keep_large_document,
    "many_changes": _many_changes,
}

RARE: dict[str, Callable[[Event], int]] = {
    "grow_document": _grow_document,
    "change_key": _change_key,
    "big_transaction": _big_transaction,
}


def planned(run: str, options: Options) -> list[str]:
    """Name the events of a run, in their order. Rare ones come first: later events meet the documents that grew."""
    rare = [name for name in RARE if _rng(run, f"whether {name}").randrange(options.rare_one_in) == 0]
    return [*rare, *ORDINARY]


def apply(connection: psycopg.Connection, run: str, name: str, options: Options) -> int:
    """Apply one event and return the number of changed rows, or what was changed before if the run is repeated."""
    with connection.transaction():
        lock_out_erasures(connection)
        ledger = "SELECT changes FROM public.life_events WHERE run = %s AND event = %s"
        applied = connection.execute(ledger, [run, name]).fetchone()
        if applied is not None:
            return applied[0]
        changes = (ORDINARY | RARE)[name](Event(connection, _rng(run, name), options))
        entry = "INSERT INTO public.life_events (run, event, changes) VALUES (%s, %s, %s)"
        connection.execute(entry, [run, name, changes])
    return changes


def _rng(run: str, purpose: str) -> random.Random:
    return random.Random(f"{run}|{purpose}")  # noqa: S311 (nothing secret depends on it)
