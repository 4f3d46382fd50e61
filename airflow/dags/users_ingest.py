"""Airflow DAG: people of randomuser.me into the users table."""

from datetime import timedelta

from airflow.providers.common.sql.operators.sql import SQLTableCheckOperator
from airflow.sdk import dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from users_pipeline import ingest, randomuser, settings
from users_pipeline.airflow_side import (
    DEFAULT_ARGS,
    START,
    USERS_DB,
    USERS_TABLE,
    randomuser_url,
    seed_of_run,
    users_database,
)

EVERY = timedelta(seconds=settings.number("USERS_INGEST_EVERY_SECONDS", 300, least=1))
PAGES = settings.number("USERS_INGEST_PAGES", 1, least=1, most=randomuser.MAX_PAGE)
RESULTS = settings.number("USERS_INGEST_RESULTS", 500, least=PAGES, most=PAGES * randomuser.MAX_RESULTS)
PEOPLE_OF_A_PAGE = RESULTS // PAGES
TIMEOUT_SECONDS = settings.number("USERS_INGEST_TIMEOUT_SECONDS", 30, least=1)
MAX_REJECTED_PERCENT = settings.number("USERS_INGEST_MAX_REJECTED_PERCENT", 5)

BATCH = "{{ ti.xcom_pull(task_ids='name_batch') }}"

WRITTEN_BY_BATCH = f"updated_at >= (SELECT min(loaded_at) FROM public.ingest_batches WHERE batch = '{BATCH}')"


@dag(
    dag_id="users_ingest",
    schedule=EVERY,
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["users", "ingest"],
)
def users_ingest() -> None:
    """People of randomuser.me into the users table.

    The seed of a run is the start of its interval, the page is the shard: a repeated run fetches the same people, and
    writes nothing where nothing differs, so that the change stream stays quiet.

    - **load** fetches a page, validates it and writes it in one transaction. Documents that are no person go to
      `users_rejected` with field and reason. Passwords, salts and hashes are stored nowhere. Quota, server errors,
      time-outs and broken answers are tried again; an answer that breaks the service's contract is not.
    - **check_batch** fails if people are missing or too many were rejected, **check_users** if the table holds what it
      must not. Then the asset `users_table` is updated.
    """

    @task
    def name_batch() -> str:
        return seed_of_run(get_current_context())

    @task(execution_timeout=timedelta(seconds=TIMEOUT_SECONDS + 120))
    def load(batch: str, page: int) -> dict[str, int]:
        try:
            documents = randomuser.fetch_page(
                randomuser_url(),
                seed=batch,
                page=page,
                results=PEOPLE_OF_A_PAGE,
                timeout_seconds=TIMEOUT_SECONDS,
            )
        except randomuser.ContractBreak as error:
            raise AirflowFailException(str(error)) from error
        with users_database() as database:
            return vars(ingest.store_page(database, batch=batch, page=page, documents=documents))

    check_batch = SQLTableCheckOperator(
        task_id="check_batch",
        conn_id=USERS_DB,
        table="public.ingest_batches",
        partition_clause=f"batch = '{BATCH}'",
        retries=0,
        checks={
            "every_page_was_loaded": {"check_statement": f"count(*) = {PAGES}"},
            "everybody_came": {"check_statement": f"sum(received) = {PEOPLE_OF_A_PAGE * PAGES}"},
            "nobody_is_unaccounted_for": {
                "check_statement": "sum(received) = sum(rejected + erased + inserted + changed + unchanged)"
            },
            "few_were_rejected": {"check_statement": f"sum(rejected) * 100 <= sum(received) * {MAX_REJECTED_PERCENT}"},
        },
    )

    check_users = SQLTableCheckOperator(
        task_id="check_users",
        conn_id=USERS_DB,
        table="public.users",
        partition_clause=WRITTEN_BY_BATCH,
        retries=0,
        outlets=[USERS_TABLE],
        checks={
            "written_people_are_there": {
                "check_statement": f"""
                    count(*) + (SELECT coalesce(sum(users_deleted), 0) FROM public.erasure_receipts
                                WHERE deleted_at >= (SELECT min(loaded_at) FROM public.ingest_batches
                                                     WHERE batch = '{BATCH}'))
                    >= (SELECT sum(inserted + changed) FROM public.ingest_batches WHERE batch = '{BATCH}')
                """
            },
            "coordinates_lie_on_the_globe": {
                "check_statement": "coalesce(bool_and(abs(latitude) <= 90 AND abs(longitude) <= 180), true)"
            },
            "nobody_was_born_in_the_future": {
                "check_statement": "coalesce(bool_and(dob BETWEEN '1900-01-01' AND now()), true)"
            },
            "names_and_addresses_are_not_empty": {
                "check_statement": "count(*) FILTER (WHERE '' IN (name_first, name_last, city, country, email)) = 0"
            },
            "no_secret_was_stored": {
                "check_statement": "count(*) FILTER (WHERE raw -> 'login' ?| ARRAY['password', 'salt', 'md5', "
                "'sha1', 'sha256']) = 0"
            },
        },
    )

    batch = name_batch()
    load.partial(batch=batch).expand(page=list(range(1, PAGES + 1))) >> check_batch >> check_users


users_ingest()
