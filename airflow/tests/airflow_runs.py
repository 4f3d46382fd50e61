"""Runs of DAGs in this process."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.dag_processing.dagbag import DagBag
    from airflow.models.dagrun import DagRun


class Runs:
    """Runs DAGs in this process. Each run has an interval of its own, unless it is asked to repeat one."""

    def __init__(self, dags: "DagBag") -> None:
        """Intervals begin at the present, so that no run has the name of another."""
        self.dags = dags
        self.interval = datetime.now(UTC)

    def run(self, dag_id: str, *, repeat: bool = False) -> "DagRun":
        """Run a DAG to its end, whatever that is."""
        if not repeat:
            self.interval += timedelta(minutes=5)
        return self.dags.dags[dag_id].test(logical_date=self.interval)

    def run_without_interval(self, dag_id: str) -> "DagRun":
        """Run a DAG as an asset would trigger it."""
        return self.dags.dags[dag_id].test(logical_date=None)


def states(run: "DagRun") -> dict[str, str]:
    """Return the state of each task of a run."""
    return {task.task_id: str(task.state) for task in run.get_task_instances()}
