"""Airflow DAG: is the mirror in Cassandra equal to the users table?"""

import logging
from datetime import timedelta

from airflow.sdk import AssetOrTimeSchedule, DeltaTriggerTimetable, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException

from users_pipeline import reconcile, settings
from users_pipeline.airflow_side import (
    DEFAULT_ARGS,
    START,
    USERS_TABLE,
    sluice,
    users_database,
    users_mirror,
)

EVERY = timedelta(seconds=settings.number("USERS_RECONCILE_EVERY_SECONDS", 900, least=1))
WAIT_SECONDS = settings.number("USERS_RECONCILE_WAIT_SECONDS", 300, least=1)
MAX_LAG_SECONDS = settings.number("USERS_RECONCILE_MAX_LAG_SECONDS", 60, least=1)

log = logging.getLogger(__name__)


@dag(
    dag_id="users_reconcile",
    schedule=AssetOrTimeSchedule(timetable=DeltaTriggerTimetable(EVERY), assets=[USERS_TABLE]),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["users", "reconciliation"],
)
def users_reconcile() -> None:
    """Is the mirror in Cassandra equal to the users table?

    - **compare** waits until Sluice has carried everything up to now into Cassandra, compares 256 hashed buckets, looks
      again at rows that seem to differ, and writes the result, the lag and the keys that differ to
      `public.reconciliations`.
    - **judge** fails if rows differ, or if it took Sluice longer than the objective to carry everything over.
    """

    @task(execution_timeout=timedelta(seconds=(reconcile.LOOKS + 1) * WAIT_SECONDS + 1_800))
    def compare() -> str:
        run = get_current_context()["run_id"]
        with users_database() as database, users_mirror() as mirror:
            sides = reconcile.Sides.of(database, mirror, sluice(database))
            result = reconcile.reconcile(sides, run, WAIT_SECONDS)
            reconcile.record(database, result)
        log.info(
            "reconciled: verdict %s, %s rows in Postgres, %s in Cassandra, lag %s bytes, %s records, %s seconds",
            result.verdict,
            result.postgres_rows,
            result.cassandra_rows,
            result.slot_lag_bytes,
            result.group_lag_records,
            result.quiet_seconds,
        )
        return run

    @task
    def judge(run: str) -> None:
        with users_database() as database:
            breach = reconcile.breach(database, run, MAX_LAG_SECONDS)
        if breach is not None:
            raise AirflowFailException(breach)

    judge(compare())


users_reconcile()
