"""Airflow DAG: life events of the people in the users table."""

from datetime import timedelta

from airflow.sdk import dag, get_current_context, task

from users_pipeline import life_events, settings
from users_pipeline.airflow_side import DEFAULT_ARGS, START, seed_of_run, users_database

EVERY = timedelta(seconds=settings.number("USERS_MUTATE_EVERY_SECONDS", 60, least=1))
OPTIONS = life_events.Options(
    people=settings.number("USERS_MUTATE_PEOPLE", 20, least=1),
    big_transaction_rows=settings.number("USERS_MUTATE_BIG_TRANSACTION_ROWS", 1_000),
    rare_one_in=settings.number("USERS_MUTATE_RARE_ONE_IN", 5, least=1),
)


@dag(
    dag_id="users_mutate",
    schedule=EVERY,
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["users", "life-events"],
)
def users_mutate() -> None:
    """Life events of the people in the users table.

    People move house, change e-mail addresses and telephone numbers, lose a field, change several times within one
    transaction; now and then a document grows beyond 8 kB, a key changes, or one transaction changes very many rows.
    What happens follows from the run's interval; every event is one transaction that happens once, however often the
    run is repeated. Until `users_ingest` has brought people, nothing happens.
    """

    @task
    def apply_events() -> dict[str, int]:
        run = seed_of_run(get_current_context())
        with users_database() as database:
            return {name: life_events.apply(database, run, name, OPTIONS) for name in life_events.planned(run, OPTIONS)}

    apply_events()


users_mutate()
