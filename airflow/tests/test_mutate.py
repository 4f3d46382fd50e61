"""`users_mutate` against a real Postgres, seen through logical decoding."""

import psycopg

from airflow_runs import Runs
from stack import ChangeStream
from users_pipeline import life_events
from users_pipeline.life_events import ORDINARY, RARE, Options

OPTIONS = Options(people=4, big_transaction_rows=50, rare_one_in=1)


def test_every_event_is_one_transaction(people: psycopg.Connection, runs: Runs, stream: ChangeStream) -> None:
    run = runs.run("users_mutate")

    assert run.state == "success"
    events = dict(people.execute("SELECT event, changes FROM public.life_events").fetchall())
    assert set(events) == ORDINARY.keys() | RARE.keys()
    assert sorted(len(transaction) for transaction in stream.transactions()) == sorted(events.values())
    assert min(events.values()) >= 1


def test_a_repeated_run_applies_nothing_twice(people: psycopg.Connection, runs: Runs, stream: ChangeStream) -> None:
    runs.run("users_mutate")
    stream.changes()

    run = runs.run("users_mutate", repeat=True)

    assert run.state == "success"
    assert stream.changes() == []


def test_equal_runs_on_equal_rows_do_the_same(people: psycopg.Connection) -> None:
    snapshot = "SELECT id, email, phone, city, raw::text FROM public.users ORDER BY id"
    outcomes = []
    for _ in range(2):
        with people.transaction() as attempt:
            for event in life_events.planned("a run", OPTIONS):
                life_events.apply(people, "a run", event, OPTIONS)
            outcomes.append(people.execute(snapshot).fetchall())
            raise psycopg.Rollback(attempt)

    assert outcomes[0] == outcomes[1]


def test_nothing_happens_before_people_came(users: psycopg.Connection, runs: Runs) -> None:
    run = runs.run("users_mutate")

    assert run.state == "success"
    assert users.execute("SELECT sum(changes) FROM public.life_events").fetchone() == (0,)


def apply(people: psycopg.Connection, event: str) -> int:
    return life_events.apply(people, "a run", event, OPTIONS)


def test_a_move_takes_the_country_along(people: psycopg.Connection, stream: ChangeStream) -> None:
    before = people.execute("SELECT id, country, version FROM public.users").fetchall()

    assert apply(people, "move_house") == 4

    after = people.execute("SELECT id, country, version FROM public.users").fetchall()
    moved = set(after) - set(before)
    assert {version for (_, _, version) in moved} == {2}
    assert all("old-key:" in change and "new-tuple:" in change for change in stream.changes())


def test_a_large_document_grows_and_then_stays_out_of_the_stream(
    people: psycopg.Connection, stream: ChangeStream
) -> None:
    assert apply(people, "grow_document") == 1
    large = people.execute("SELECT id FROM public.users WHERE pg_column_size(raw) > 8000").fetchall()
    assert len(large) == 1
    stream.changes()

    assert apply(people, "keep_large_document") == 1

    (change,) = stream.changes()
    assert "new-tuple:" in change
    assert "raw[jsonb]:unchanged-toast-datum" in change.split("new-tuple:")[1]


def test_a_changed_key_carries_the_large_document_in_its_before_image(
    people: psycopg.Connection, stream: ChangeStream
) -> None:
    apply(people, "grow_document")
    (key,) = people.execute("SELECT id FROM public.users WHERE pg_column_size(raw) > 8000").fetchone()
    stream.changes()

    assert apply(people, "change_key") == 1

    (change,) = stream.changes()
    old, new = change.split("new-tuple:")
    assert f"id[uuid]:'{key}'" in old
    assert '"attachment"' in old
    assert "unchanged-toast-datum" in new
    assert people.execute("SELECT count(*) FROM public.users WHERE id = %s", [key]).fetchone() == (0,)


def test_fields_become_null(people: psycopg.Connection) -> None:
    query = "SELECT count(*) FROM public.users WHERE num_nulls(phone, cell, national_id_value) > 0 AND version = 2"

    assert apply(people, "clear_field") == 4

    assert people.execute(query).fetchone() == (4,)


def test_one_row_changes_several_times_in_one_transaction(people: psycopg.Connection, stream: ChangeStream) -> None:
    assert apply(people, "many_changes") == 5

    (transaction,) = stream.transactions()
    assert len(transaction) == 5
    assert people.execute("SELECT phone FROM public.users WHERE version = 6").fetchall() == [(None,)]


def test_the_big_transaction_has_the_size_that_is_set(people: psycopg.Connection, stream: ChangeStream) -> None:
    assert apply(people, "big_transaction") == 50

    assert [len(transaction) for transaction in stream.transactions()] == [50]


def test_nobody_changes_who_asked_to_be_erased(people: psycopg.Connection, stream: ChangeStream) -> None:
    people.execute("INSERT INTO public.erasure_requests (user_id) SELECT id FROM public.users")

    changes = [apply(people, event) for event in life_events.planned("a run", OPTIONS)]

    assert set(changes) == {0}
    assert stream.changes() == []
