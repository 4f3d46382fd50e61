"""Airflow DAG: erases people who asked for it, here and in the mirror."""

from datetime import timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

from users_pipeline import erasure, settings
from users_pipeline.airflow_side import DEFAULT_ARGS, START, sluice, users_database, users_mirror

EVERY = timedelta(seconds=settings.number("USERS_ERASE_EVERY_SECONDS", 60, least=1))

WAIT = {
    "mode": "reschedule",
    "poke_interval": settings.number("USERS_ERASE_POKE_SECONDS", 5, least=1),
    "timeout": settings.number("USERS_ERASE_WAIT_SECONDS", 600, least=1),
}


@dag(
    dag_id="users_erase",
    schedule=EVERY,
    start_date=START,
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    tags=["users", "erasure"],
)
def users_erase() -> None:
    """Erasure of people, with a receipt.

    To ask for one: `INSERT INTO public.erasure_requests (user_id) VALUES ('…')`.

    - **delete_people** deletes the person's rows and writes the receipt in the same transaction. From then on
      `users_ingest` refuses to bring the person back.
    - **position**, **slot_has_passed**, **topic_ends**, **sink_has_passed** wait until Sluice has carried the deletes
      through Kafka into Cassandra.
    - **write_receipts** looks into Cassandra, completes the receipts and takes the uuids out of the requests. It fails
      if somebody is still there; the next run begins anew with whoever is left.
    """

    @task.short_circuit
    def delete_people() -> bool:
        with users_database() as database:
            return erasure.delete_people(database) > 0

    @task
    def position() -> str:
        with users_database() as database:
            return sluice(database).wal_position()

    @task.sensor(**WAIT)
    def slot_has_passed(lsn: str) -> bool:
        with users_database() as database:
            return sluice(database).unconfirmed_bytes(lsn) <= 0

    @task
    def topic_ends() -> dict[str, int]:
        with users_database() as database:
            # Keys of JSON objects are strings.
            return {str(partition): end for partition, end in sluice(database).end_offsets().items()}

    @task.sensor(**WAIT)
    def sink_has_passed(ends: dict[str, int]) -> bool:
        with users_database() as database:
            return sluice(database).records_behind({int(partition): end for partition, end in ends.items()}) == 0

    @task
    def write_receipts(lsn: str) -> int:
        with users_database() as database, users_mirror() as mirror:
            completed, remaining = erasure.write_receipts(database, mirror, lsn)
        if remaining:
            raise AirflowFailException(
                f"{remaining} people are deleted in Postgres but still in Cassandra: compare with users_reconcile"
            )
        return completed

    lsn = position()
    ends = topic_ends()
    delete_people() >> lsn
    slot_has_passed(lsn) >> ends
    sink_has_passed(ends) >> write_receipts(lsn)


users_erase()
