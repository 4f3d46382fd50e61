"""From a document of randomuser.me (API 1.4) to a row of the `users` table: types checked, secrets left behind.

Documents are cut down to the fields that this module names before anything of them is stored. So neither passwords,
salts and hashes nor anything that the service may add one day gets past the door. Ages are left behind too: they are
computed from the day of the request, and would make every later fetch of the same people a change.
"""

import json
import math
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
Value = str | int | Decimal | datetime | uuid.UUID | Json

_JSON_TYPES = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}


class InvalidField(ValueError):
    """A field that does not hold what it should. Its value is not repeated."""

    def __init__(self, pointer: str, expected: str) -> None:
        """`pointer` is a JSON pointer, empty for the whole document; `expected` says what belongs there."""
        super().__init__(f"field `{pointer}` is not {expected}")
        self.pointer = pointer
        self.expected = expected


@dataclass(frozen=True)
class Column:
    """A column of `public.users`, its SQL type, and where and how a document holds it.

    `parse` gives the typed value, or None where the value is not `expected`.
    """

    name: str
    sql_type: str
    pointer: str
    expected: str
    parse: Callable[[Json], Value]
    nullable: bool = False


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and _storable(value) else None


def _filled(value: Json) -> str | None:
    return _text(value) or None


def _storable(value: str) -> bool:
    """Whether Postgres can hold the text: no NUL, no half of a surrogate pair."""
    return "\0" not in value and not any("\ud800" <= char <= "\udfff" for char in value)


def _matching(pattern: str) -> Callable[[Json], str | None]:
    compiled = re.compile(pattern)
    return lambda value: value if (text := _text(value)) is not None and compiled.fullmatch(text) else None


def _uuid(value: Json) -> uuid.UUID | None:
    canonical = _matching(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")(value)
    return uuid.UUID(canonical) if canonical is not None else None


def _street_number(value: Json) -> int | None:
    return value if type(value) is int and 0 < value < 2**31 else None


def _postcode(value: Json) -> str | None:
    return str(value) if type(value) is int and value >= 0 else _text(value)


def _degrees(limit: int) -> Callable[[Json], Decimal | None]:
    def parse(value: Json) -> Decimal | None:
        text = _matching(r"-?[0-9]{1,3}(\.[0-9]{1,4})?")(value)
        degrees = Decimal(text) if text is not None else None
        return degrees if degrees is not None and abs(degrees) <= limit else None

    return parse


def _moment(value: Json) -> datetime | None:
    text = _text(value)
    try:
        moment = datetime.fromisoformat(text) if text is not None else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


_FILLED = "a string that is not empty"
_DEGREES = "degrees with at most four decimals, as a string"
_MOMENT = "a date and time in ISO 8601 with a zone"

COLUMNS: tuple[Column, ...] = (
    Column("id", "uuid", "/login/uuid", "a uuid", _uuid),
    Column("gender", "text", "/gender", "`female` or `male`", _matching("female|male")),
    Column("name_title", "text", "/name/title", "a string", _text),
    Column("name_first", "text", "/name/first", _FILLED, _filled),
    Column("name_last", "text", "/name/last", _FILLED, _filled),
    Column("street_number", "integer", "/location/street/number", "a positive 32-bit number", _street_number),
    Column("street_name", "text", "/location/street/name", "a string", _text),
    Column("city", "text", "/location/city", _FILLED, _filled),
    Column("state", "text", "/location/state", "a string", _text),
    Column("country", "text", "/location/country", _FILLED, _filled),
    Column("postcode", "text", "/location/postcode", "a string or a whole number", _postcode),
    Column("latitude", "numeric", "/location/coordinates/latitude", _DEGREES, _degrees(90)),
    Column("longitude", "numeric", "/location/coordinates/longitude", _DEGREES, _degrees(180)),
    Column("timezone_offset", "text", "/location/timezone/offset", "a string", _text),
    Column("timezone_description", "text", "/location/timezone/description", "a string", _text),
    Column("email", "text", "/email", "an e-mail address", _matching(r"[^@\s]+@[^@\s]+")),
    Column("username", "text", "/login/username", "a string", _text),
    Column("dob", "timestamptz", "/dob/date", _MOMENT, _moment),
    Column("registered", "timestamptz", "/registered/date", _MOMENT, _moment),
    Column("phone", "text", "/phone", "a string", _text),
    Column("cell", "text", "/cell", "a string", _text),
    Column("national_id_name", "text", "/id/name", "a string", _text),
    Column("national_id_value", "text", "/id/value", "a string or null", _text, nullable=True),
    Column("picture_url", "text", "/picture/large", "a string", _text),
    Column("nat", "text", "/nat", "two upper-case letters", _matching("[A-Z]{2}")),
)
"""The columns that single fields fill. `raw` comes beside them; the table's defaults fill the rest."""

_KNOWN_FIELDS = (*(column.pointer for column in COLUMNS), "/picture/medium", "/picture/thumbnail")

Row = dict[str, Value]
"""Values by column: those of `COLUMNS`, and `raw`."""


@dataclass(frozen=True)
class Rejected:
    """A document that is no person.

    `position` counts from 0 within the page; `raw` is minimised; `user_id` is its uuid, where it has one.
    """

    position: int
    user_id: uuid.UUID | None
    field: str
    reason: str
    raw: Json


def parse_page(documents: list[Json]) -> tuple[list[Row], list[Rejected]]:
    """Split the documents of a page into rows and rejected ones.

    A uuid that occurs twice is rejected from its second occurrence on: one statement cannot write a row twice.
    """
    rows: dict[uuid.UUID, Row] = {}
    rejected = []
    for position, document in enumerate(documents):
        try:
            row = parse(document)
            _refuse_twin(row, rows)
            rows[row["id"]] = row
        except InvalidField as error:
            user_id = _uuid(_at(document, "/login/uuid"))
            raw = minimised(document)
            rejected.append(Rejected(position, user_id, error.pointer, f"not {error.expected}", raw))
    return list(rows.values()), rejected


def _refuse_twin(row: Row, rows: dict[uuid.UUID, Row]) -> None:
    if row["id"] in rows:
        raise InvalidField("/login/uuid", "unique within the page")


def parse(document: Json) -> Row:
    """Make a row of a document.

    Raises:
        InvalidField: names the first field that is missing or holds something else.

    """
    if not isinstance(document, dict):
        raise InvalidField("", "an object")
    return {column.name: _value(document, column) for column in COLUMNS} | {"raw": minimised(document)}


def _value(document: Json, column: Column) -> Value:
    value = _at(document, column.pointer)
    if value is None and column.nullable and _has(document, column.pointer):
        return None
    parsed = column.parse(value)
    if parsed is None:
        raise InvalidField(column.pointer, column.expected)
    return parsed


def _at(document: Json, pointer: str) -> Json:
    """Return what stands at a pointer, None if nothing does."""
    for key in pointer.split("/")[1:]:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _has(document: Json, pointer: str) -> bool:
    parent, _, key = pointer.rpartition("/")
    holder = _at(document, parent)
    return isinstance(holder, dict) and key in holder


def minimised(document: Json) -> Json:
    """Copy the known fields of a document, and nothing else.

    A value that cannot be stored, or that is an object where a scalar belongs, is replaced by its type in parentheses:
    whatever hides in it is unknown.
    """
    if not isinstance(document, dict):
        return _type_name(document)
    copy: dict[str, Json] = {}
    for pointer in _KNOWN_FIELDS:
        if _has(document, pointer):
            *parents, key = pointer.split("/")[1:]
            holder = copy
            for parent in parents:
                holder = holder.setdefault(parent, {})
            holder[key] = _scalar(_at(document, pointer))
    return copy


def _scalar(value: Json) -> Json:
    if isinstance(value, dict | list):
        return _type_name(value)
    if isinstance(value, str) and not _storable(value):
        return _type_name(value)
    if isinstance(value, float) and not math.isfinite(value):
        return _type_name(value)
    return value


def _type_name(value: Json) -> str:
    return f"({_JSON_TYPES.get(type(value), 'null')})"


def to_json(rows: list[Row]) -> str:
    """Render rows as one JSON array, the form in which a statement takes a whole batch as one parameter.

    Every value becomes the text that Postgres parses for the column's type.
    """
    return json.dumps(rows, default=str, ensure_ascii=False, allow_nan=False)
