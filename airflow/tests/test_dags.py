"""What all DAGs have in common."""

from datetime import timedelta

from airflow.dag_processing.dagbag import DagBag

DAG_IDS = {"users_ingest", "users_mutate", "users_erase", "users_reconcile"}


def test_every_dag_file_imports(dags: DagBag) -> None:
    assert dags.import_errors == {}
    assert set(dags.dag_ids) == DAG_IDS


def test_every_dag_runs_alone_and_says_what_it_does(dags: DagBag) -> None:
    for dag in dags.dags.values():
        assert dag.max_active_runs == 1
        assert not dag.catchup
        assert dag.tags
        assert len(dag.doc_md or "") > 200


def test_every_task_has_a_limit_an_owner_and_the_pool(dags: DagBag) -> None:
    for task in (task for dag in dags.dags.values() for task in dag.tasks):
        assert task.owner == "users-pipeline"
        assert task.pool == "users_db"
        assert isinstance(task.execution_timeout, timedelta)
        assert task.retry_exponential_backoff == 2.0
