"""`users_ingest` against the stand-in for randomuser.me and a real Postgres."""

import threading

import psycopg
import pytest

import stack
from airflow_runs import Runs
from stack import ChangeStream, Faults
from users_pipeline import erasure, ingest, person

SECRETS = ("password", "salt", "md5", "sha1", "sha256")


def count(users: psycopg.Connection, query: str) -> int:
    return users.execute(f"SELECT count(*) FROM {query}").fetchone()[0]


def test_a_run_loads_the_people_it_asked_for(users: psycopg.Connection, runs: Runs) -> None:
    run = runs.run("users_ingest")

    assert run.state == "success"
    assert count(users, "public.users") == 60
    totals = users.execute("SELECT count(*), sum(received), sum(inserted), sum(rejected) FROM public.ingest_batches")
    assert totals.fetchone() == (2, 60, 60, 0)


def test_a_repeated_run_emits_no_change_event(users: psycopg.Connection, runs: Runs, stream: ChangeStream) -> None:
    runs.run("users_ingest")
    assert len(stream.changes()) == 60

    run = runs.run("users_ingest", repeat=True)

    assert run.state == "success"
    assert stream.changes() == []
    assert count(users, "public.users WHERE version = 1 AND updated_at = created_at") == 60
    assert users.execute("SELECT sum(unchanged) FROM public.ingest_batches").fetchone() == (60,)


def test_an_upsert_without_the_guard_would_emit_every_row(
    users: psycopg.Connection, runs: Runs, stream: ChangeStream
) -> None:
    runs.run("users_ingest")
    stream.changes()

    users.execute(
        "INSERT INTO public.users SELECT * FROM public.users "
        "ON CONFLICT (id) DO UPDATE SET email = EXCLUDED.email, phone = EXCLUDED.phone"
    )

    changes = stream.changes()
    assert len(changes) == 60
    assert all("UPDATE" in change for change in changes)


def test_only_what_differs_is_written_again(users: psycopg.Connection, runs: Runs, stream: ChangeStream) -> None:
    runs.run("users_ingest")
    users.execute("UPDATE public.users SET phone = NULL WHERE id = (SELECT min(id::text)::uuid FROM public.users)")
    stream.changes()

    runs.run("users_ingest", repeat=True)

    assert len(stream.changes()) == 1
    assert count(users, "public.users WHERE version = 2 AND phone IS NOT NULL") == 1


def test_another_interval_brings_other_people(users: psycopg.Connection, runs: Runs) -> None:
    runs.run("users_ingest")
    runs.run("users_ingest")

    assert count(users, "public.users") == 120


@pytest.mark.parametrize("fault", ["429:1", "500:1", "503:1", "truncated:1", "malformed:1", "slow:1:4000"])
def test_a_passing_fault_is_tried_again(users: psycopg.Connection, runs: Runs, faults: Faults, fault: str) -> None:
    faults.set(fault)

    run = runs.run("users_ingest")

    assert run.state == "success"
    assert faults.remaining() == []
    assert sorted(task.try_number for task in run.get_task_instances() if task.task_id == "load") == [1, 2]
    assert count(users, "public.users") == 60


def test_a_refusal_is_not_tried_again(users: psycopg.Connection, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    # The service answers 404 to versions that it does not have.
    monkeypatch.setattr("users_pipeline.randomuser.API_VERSION", "0.0")

    run = runs.run("users_ingest")

    assert run.state == "failed"
    assert {task.try_number for task in run.get_task_instances() if task.task_id == "load"} == {1}
    assert count(users, "public.users") == 0


def test_a_document_that_is_no_person_is_kept_with_its_reason(
    users: psycopg.Connection, runs: Runs, faults: Faults
) -> None:
    faults.set("missing-field:1:2", "wrong-type:1:1")

    run = runs.run("users_ingest")

    assert run.state == "success"
    assert count(users, "public.users") == 57
    rejected = users.execute("SELECT field, reason FROM public.users_rejected ORDER BY page, position").fetchall()
    assert sorted(rejected) == [
        ("/email", "not an e-mail address"),
        ("/login/uuid", "not a uuid"),
        ("/login/uuid", "not a uuid"),
    ]


def test_too_many_rejected_documents_fail_the_run(users: psycopg.Connection, runs: Runs, faults: Faults) -> None:
    faults.set("missing-field:1:7")

    run = runs.run("users_ingest")

    states = {task.task_id: task.state for task in run.get_task_instances()}
    assert (states["load"], states["check_batch"], states["check_users"]) == ("success", "failed", "upstream_failed")
    assert count(users, "public.users_rejected") == 7


def test_no_secret_reaches_a_table(users: psycopg.Connection, runs: Runs, faults: Faults) -> None:
    faults.set("missing-field:1:3")

    runs.run("users_ingest")

    for table in ("users", "users_rejected"):
        for secret in SECRETS:
            assert count(users, f"public.{table} WHERE raw::text LIKE '%\"{secret}\"%'") == 0
    assert count(users, "public.users WHERE raw -> 'login' ? 'uuid'") == 57
    assert count(users, "public.users WHERE raw -> 'dob' ? 'age'") == 0


def test_no_payload_passes_through_xcom(users: psycopg.Connection, runs: Runs) -> None:
    from airflow.models.xcom import XComModel
    from airflow.utils.session import create_session

    run = runs.run("users_ingest")

    email = users.execute("SELECT email FROM public.users LIMIT 1").fetchone()[0]
    with create_session() as session:
        values = [str(xcom.value) for xcom in session.query(XComModel).filter(XComModel.run_id == run.run_id)]
    assert values
    assert not any(email in value or "@" in value for value in values)


def test_a_checked_run_updates_the_asset(users: psycopg.Connection, runs: Runs) -> None:
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    run = runs.run("users_ingest")

    with create_session() as session:
        events = session.query(AssetEvent).filter(AssetEvent.source_run_id == run.run_id).all()
        assert [event.asset.name for event in events] == ["users_table"]


def test_a_run_without_an_interval_loads_people_too(users: psycopg.Connection, runs: Runs) -> None:
    run = runs.run_without_interval("users_ingest")

    assert run.state == "success"
    assert count(users, "public.users") == 60


def test_no_value_of_a_row_reaches_the_log(
    users: psycopg.Connection, runs: Runs, faults: Faults, capfd: pytest.CaptureFixture[str]
) -> None:
    faults.set("missing-field:1:3")

    runs.run("users_ingest")

    written = "".join(capfd.readouterr())
    values = users.execute("SELECT unnest(ARRAY[id::text, email, username, phone, street_name]) FROM public.users")
    assert "users_ingest" in written
    assert not any(value in written for (value,) in values)


def test_an_erasure_waits_for_a_page_that_is_being_written(users: psycopg.Connection) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event = 'advisory'"
    users.execute("INSERT INTO public.erasure_requests (user_id) VALUES (gen_random_uuid())")

    with stack.postgres() as eraser:
        deletes = threading.Thread(target=erasure.delete_people, args=[eraser])
        with users.transaction():
            erasure.lock_out_erasures(users)
            deletes.start()
            stack.wait_until("the erasure waits", lambda: users.execute(waiting, [stack.NAME]).fetchone() == (1,))
            assert count(users, "public.erasure_receipts") == 0
        deletes.join()

    assert count(users, "public.erasure_receipts") == 1


def test_erased_people_are_not_brought_back(users: psycopg.Connection, runs: Runs) -> None:
    runs.run("users_ingest")
    erased, asking = (key for (key,) in users.execute("SELECT id FROM public.users ORDER BY id LIMIT 2"))
    users.execute("INSERT INTO public.erasure_requests (user_id) VALUES (%s)", [asking])
    users.execute(
        "WITH request AS (INSERT INTO public.erasure_requests (user_id) VALUES (%s) RETURNING id, requested_at) "
        "INSERT INTO public.erasure_receipts "
        "SELECT id, encode(sha256(%s), 'hex'), requested_at, now(), 1, 0 FROM request",
        [erased, str(erased).encode()],
    )
    users.execute("DELETE FROM public.users WHERE id = ANY (%s)", [[erased, asking]])

    run = runs.run("users_ingest", repeat=True)

    assert run.state == "success"
    assert count(users, "public.users") == 58
    assert users.execute("SELECT sum(erased) FROM public.ingest_batches").fetchone() == (2,)


def test_a_page_can_hold_the_same_person_twice(users: psycopg.Connection, runs: Runs) -> None:
    runs.run("users_ingest")
    document = users.execute("SELECT raw FROM public.users LIMIT 1").fetchone()[0]

    stored = ingest.store_page(users, batch="twice", page=1, documents=[document, document])

    assert (stored.rejected, stored.unchanged) == (1, 1)
    assert users.execute("SELECT reason FROM public.users_rejected").fetchone() == ("not unique within the page",)


def test_what_postgres_cannot_hold_is_rejected_and_recorded(users: psycopg.Connection) -> None:
    documents: list[person.Json] = [
        "a string",
        {"login": "hunter2"},
        {"login": {"uuid": "\0"}},
        {"email": "half a pair \ud800", "login": {"password": "hunter2"}},
        {"gender": "female", "location": {"street": {"number": float("inf")}}},
    ]

    stored = ingest.store_page(users, batch="odd", page=1, documents=documents)

    assert stored.rejected == 5
    assert count(users, "public.users_rejected WHERE raw::text LIKE '%hunter2%'") == 0
