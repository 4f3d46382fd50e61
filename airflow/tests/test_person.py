"""From documents of the people's service to rows."""

import copy
from decimal import Decimal

import pytest

import stack
from users_pipeline import person
from users_pipeline.person import COLUMNS, Column, InvalidField, Json
from users_pipeline.randomuser import fetch_page


@pytest.fixture(scope="module")
def documents() -> list[Json]:
    """People of many nationalities."""
    url = stack.server("SLUICE_TEST_RANDOMUSER")
    return fetch_page(url, seed="test_person", page=1, results=200, timeout_seconds=10)


@pytest.fixture
def document(documents: list[Json]) -> Json:
    """One of them, to be spoiled."""
    return copy.deepcopy(documents[0])


def put(document: Json, pointer: str, value: Json) -> None:
    *parents, key = pointer.split("/")[1:]
    for parent in parents:
        document = document[parent]
    document[key] = value


def test_everybody_is_a_row(documents: list[Json]) -> None:
    rows, rejected = person.parse_page(documents)

    assert len(rows) == 200
    assert rejected == []


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: column.name)
def test_a_wrong_field_is_named(document: Json, column: Column) -> None:
    put(document, column.pointer, ["an array"])

    with pytest.raises(InvalidField) as error:
        person.parse(document)

    assert error.value.pointer == column.pointer
    assert error.value.expected == column.expected


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/login/uuid", "{12345678-1234-1234-1234-123456789012}"),
        ("/gender", "unknown"),
        ("/location/street/number", True),
        ("/location/street/number", 2**31),
        ("/location/postcode", -1),
        ("/location/coordinates/latitude", "90.0001"),
        ("/location/coordinates/longitude", "-181.0000"),
        ("/location/coordinates/latitude", "1e1"),
        ("/email", "nobody"),
        ("/dob/date", "2001-05-28T22:16:29"),
        ("/dob/date", "yesterday"),
        ("/nat", "us"),
        ("/name/first", "half a pair \ud800"),
        ("/name/last", "\0"),
    ],
)
def test_a_wrong_value_is_refused_without_repeating_it(document: Json, pointer: str, value: Json) -> None:
    put(document, pointer, value)

    with pytest.raises(InvalidField) as error:
        person.parse(document)

    assert error.value.pointer == pointer
    assert str(value) not in str(error.value)


@pytest.mark.parametrize("pointer", ["/name/first", "/name/last", "/location/city", "/location/country"])
def test_names_and_places_are_not_empty(document: Json, pointer: str) -> None:
    put(document, pointer, "")

    with pytest.raises(InvalidField, match=f"field `{pointer}` is not a string that is not empty"):
        person.parse(document)


def test_postcodes_are_text_with_their_zeros(document: Json) -> None:
    for given, kept in (("0001", "0001"), (200, "200"), ("A1B 2C3", "A1B 2C3")):
        put(document, "/location/postcode", given)

        assert person.parse(document)["postcode"] == kept


def test_values_have_the_types_of_their_columns(document: Json) -> None:
    put(document, "/location/coordinates/latitude", "-0.5000")
    put(document, "/id/value", None)

    row = person.parse(document)

    assert row["latitude"] == Decimal("-0.5")
    assert row["dob"].utcoffset().total_seconds() == 0
    assert row["national_id_value"] is None


def test_only_known_fields_are_kept(document: Json) -> None:
    document["ssn"] = "123-45-6789"
    document["login"]["token"] = "abc"  # noqa: S105

    raw = person.parse(document)["raw"]

    assert set(raw) == set(document) - {"ssn"}
    assert set(raw["login"]) == {"uuid", "username"}
    assert set(raw["dob"]) == {"date"}
    assert raw["picture"] == document["picture"]
