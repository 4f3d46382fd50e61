"""What the DAGs share of Airflow: connections, default arguments, the name of a run."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from airflow.providers.postgres.hooks.postgres import PostgresHook
from airflow.sdk import Asset, Connection, Context

from users_pipeline import settings
from users_pipeline.mirror import Mirror
from users_pipeline.quiet_point import Sluice, SluiceNames

USERS_DB = "users_db"
"""The connection of the users database, and the pool of those who use it."""

USERS_TABLE = Asset(name="users_table")
"""Updated by each run of `users_ingest` that passed its checks."""

START = datetime(2026, 1, 1, tzinfo=UTC)

DEFAULT_ARGS: dict[str, Any] = {
    "owner": "users-pipeline",
    "pool": USERS_DB,
    "retries": 3,
    # A minute, two, four: the quota of randomuser.me is given back every five minutes.
    "retry_delay": timedelta(seconds=settings.number("USERS_RETRY_SECONDS", 60, least=1)),
    "retry_exponential_backoff": 2.0,
    "max_retry_delay": timedelta(minutes=10),
    "execution_timeout": timedelta(minutes=10),
}


_QUOTES_VALUES = ("22", "23")
"""The classes of SQLSTATE whose messages quote the values of a row: data exceptions and violated constraints."""


class DatabaseFault(Exception):
    """A statement failed. What the server says of it is left out where it may quote the values of a row."""


@contextmanager
def users_database() -> Iterator[psycopg.Connection]:
    """Open the users database in autocommit mode: transactions are those that the code names.

    Raises:
        DatabaseFault: instead of any error of the driver once it is connected.

    """
    connection = PostgresHook(postgres_conn_id=USERS_DB).get_conn()
    try:
        connection.autocommit = True
        yield connection
    except psycopg.Error as error:
        said = error.diag.message_primary or str(error)
        if (error.sqlstate or "").startswith(_QUOTES_VALUES):
            said = "its message may quote values of a row; the log of Postgres has it"
        raise DatabaseFault(f"{type(error).__name__} (SQLSTATE {error.sqlstate}): {said}") from None
    finally:
        connection.close()


def users_mirror() -> AbstractContextManager[Mirror]:
    """Connect to the mirror of the users table in Cassandra."""
    connection = Connection.get("users_cassandra")
    return Mirror.connect(connection.host, connection.port or 9042, connection.schema or "users")


def sluice(database: psycopg.Connection) -> Sluice:
    """Return the view of how far Sluice has come."""
    kafka = Connection.get("users_kafka")
    names = SluiceNames(
        slot=settings.text("USERS_SLUICE_SLOT", "sluice_users"),
        topic=settings.text("USERS_SLUICE_TOPIC", "users.public.users"),
        group=settings.text("USERS_SLUICE_GROUP", "connect-users-sink"),
    )
    return Sluice(database, f"{kafka.host}:{kafka.port or 9092}", names)


def randomuser_url() -> str:
    """Return the base address of the people's service: `https://randomuser.me`, or of its stand-in."""
    connection = Connection.get("randomuser")
    port = f":{connection.port}" if connection.port else ""
    return f"{connection.schema or connection.conn_type}://{connection.host}{port}"


def seed_of_run(context: Context) -> str:
    """Name a run by the start of its interval, so that a repeated run has the same name.

    Runs that were triggered by hand or by an asset may have no interval; the moment they were due stands in.
    """
    start = context.get("data_interval_start") or context.get("logical_date") or context["dag_run"].run_after
    return f"users-{start.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"
