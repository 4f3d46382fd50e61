"""One text for one value, whether it was read from Postgres or from Cassandra, and digests over such texts.

    column type    canonical text
    uuid           lower case with hyphens
    numeric        plain digits without trailing zeros: 1.50 and 1.5 are equal
    timestamptz    milliseconds since 1970, floored: what a CQL timestamp holds
    jsonb          the text that Postgres gives it
    boolean        true, false
    integers, text as they are

A row's text joins its cells, each with its length in front: `3:abc`, and `-` for NULL. So neither NULL and the empty
string nor cells that swap a part can be taken for each other.
"""

import calendar
import hashlib
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

BUCKETS = 256

_SQL_TEXT = {
    "bool": "{}::text",
    "int2": "{}::text",
    "int4": "{}::text",
    "int8": "{}::text",
    "jsonb": "{}::text",
    "numeric": "trim_scale({})::text",
    "text": "{}",
    "timestamptz": "floor(extract(epoch FROM {}) * 1000)::bigint::text",
    "uuid": "{}::text",
    "varchar": "{}",
}
"""How Postgres makes the canonical text of a column, by the type's internal name."""


class NoCanonicalForm(ValueError):
    """A column of a type that has no canonical text here."""


@dataclass(frozen=True)
class Column:
    """A column of the users table and the internal name of its type, as `int4`."""

    name: str
    sql_type: str

    def sql_text(self) -> str:
        """Return the SQL expression of the canonical text.

        Raises:
            NoCanonicalForm: see there.

        """
        if self.sql_type not in _SQL_TEXT:
            known = ", ".join(_SQL_TEXT)
            raise NoCanonicalForm(f"column `{self.name}` is of type `{self.sql_type}`; comparable are: {known}")
        return _SQL_TEXT[self.sql_type].format(f'"{self.name}"')


def sql_row_digest(columns: list[Column]) -> str:
    """Return the SQL expression of `row_digest`, a bigint."""
    texts = [column.sql_text() for column in columns]
    cells = " || ".join(f"coalesce(length({text}) || ':' || {text}, '-')" for text in texts)
    return f"('x' || left(md5({cells}), 15))::bit(60)::bigint"


def sql_bucket(key: str) -> str:
    """Return the SQL expression of `bucket`, an integer."""
    return f"('x' || left(md5({key}::text), 2))::bit(8)::integer"


def row_digest(cells: list[object]) -> int:
    """Return 60 bits of the row's text; cells are values as the Cassandra driver gives them."""
    texts = (_text(cell) for cell in cells)
    joined = "".join("-" if text is None else f"{len(text)}:{text}" for text in texts)
    return int(_md5(joined)[:15], 16)


def bucket(key: object) -> int:
    """Return the bucket of a key, from 0 to `BUCKETS` - 1."""
    return int(_md5(str(key))[:2], 16)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _text(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return str(value).lower()
        case Decimal():
            # The normal form of a zero may keep its sign.
            return format(value.normalize(), "f") if value else "0"
        case datetime():
            # The driver's timestamps are in UTC, without saying so.
            return str(calendar.timegm(value.timetuple()) * 1000 + value.microsecond // 1000)
        case _:
            return str(value)
