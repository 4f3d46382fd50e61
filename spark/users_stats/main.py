"""The life of a run: the session, the stream or the back-fill, and how they stop."""

import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path

from pyspark.errors import PySparkException, StreamingQueryException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming import StreamingQuery, StreamingQueryListener

from users_stats.processor import Processor, TruncateError
from users_stats.registry import RegistryUnavailableError, SchemaRegistry
from users_stats.settings import AVAILABLE_NOW, Settings, parse
from users_stats.store import Store, StoreError

log = logging.getLogger(__name__)


def main(arguments: list[str]) -> int:
    """Run the job; returns the status to exit with."""
    settings = parse(arguments)
    logging.basicConfig(
        level=logging.WARNING, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("users_stats").setLevel(logging.INFO)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="users_stats-") as directory:
        spark = start_session(settings, directory)
        try:
            run(spark, settings, stop)
        except (StoreError, RegistryUnavailableError, TruncateError, PySparkException) as error:
            log.error("%s", error)
            return 1
        finally:
            spark.stop()
    return 0


def start_session(settings: Settings, directory: str) -> SparkSession:
    """Make the session: what the job needs, on top of what spark-submit was given.

    `directory` holds what executors fetch when they start; it must live as long as the session.
    """
    builder = SparkSession.builder.appName("users-stats").config(map=_session_options(settings))
    if settings.master:
        builder = builder.master(settings.master)
        if settings.master.startswith("local"):
            # The workers are processes of this machine: the same Python, not the first one of the PATH.
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("WARN")
    _send_package(spark, directory)
    return spark


def run(spark: SparkSession, settings: Settings, stop: threading.Event) -> None:
    """Finish what an earlier run left behind, then stream or back-fill until the end or until `stop` is set."""
    store = Store(settings)
    try:
        store.take_over()
        processor = Processor(spark, settings, store, SchemaRegistry(settings.schema_registry))
        processor.resume()
        if settings.mode == "backfill":
            processor.process(_messages(spark.read, settings).load())
            log.info("back-fill done: %s", processor.progress)
        else:
            _stream(spark, settings, processor, stop)
    finally:
        store.close()


def _stream(spark: SparkSession, settings: Settings, processor: Processor, stop: threading.Event) -> None:
    refused = threading.Event()

    def apply(messages: DataFrame, number: int) -> None:
        if stop.is_set():
            # With a backlog no moment between two batches is idle. What is refused here is not marked as done.
            refused.set()
            log.info("stopping before this batch, which Spark is going to report as an error")
            raise InterruptedError("stopping")
        processor.process(messages, has_predecessor=number > 0)

    reader = _messages(spark.readStream, settings).option("maxOffsetsPerTrigger", settings.max_offsets_per_trigger)
    once = settings.trigger == AVAILABLE_NOW
    writer = reader.load().writeStream.queryName("users_stats").foreachBatch(apply)
    writer = writer.option("checkpointLocation", settings.checkpoint)
    writer = writer.trigger(**({"availableNow": True} if once else {"processingTime": settings.trigger}))
    listener = _ProgressLog(processor)
    spark.streams.addListener(listener)
    try:
        _await(writer.start(), stop)
    except StreamingQueryException:
        if not refused.is_set():
            raise
    finally:
        spark.streams.removeListener(listener)


def _await(query: StreamingQuery, stop: threading.Event) -> None:
    """Wait for the end of the query, or stop it while it is idle; raises what made it fail."""
    while not query.awaitTermination(1):
        if stop.is_set() and not query.status["isTriggerActive"]:
            query.stop()


def _messages(reader, settings: Settings):
    """Set up a reader of the topic, of the stream or of a batch. A loss of data fails, which is Spark's default."""
    return reader.format("kafka").options(
        **settings.kafka_options,
        subscribe=settings.topic,
        startingOffsets=settings.starting_offsets,
        includeHeaders="true",
    )


def _session_options(settings: Settings) -> dict[str, str]:
    options = {
        # A join to the states then asks for the persons of the batch and does not read the whole table.
        "spark.sql.extensions": "com.datastax.spark.connector.CassandraSparkExtensions",
        "spark.cassandra.connection.host": settings.cassandra_host,
        "spark.cassandra.connection.port": str(settings.cassandra_port),
        # What was written at a quorum (the default) must be read at one: an old state would count a change again.
        "spark.cassandra.input.consistency.level": "LOCAL_QUORUM",
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.showConsoleProgress": "false",
    }
    if user := os.environ.get("CASSANDRA_USERNAME"):
        options["spark.cassandra.auth.username"] = user
        options["spark.cassandra.auth.password"] = os.environ.get("CASSANDRA_PASSWORD", "")
    if settings.jars_dir:
        options["spark.jars"] = ",".join(str(jar.resolve()) for jar in sorted(Path(settings.jars_dir).glob("*.jar")))
    return options


def _send_package(spark: SparkSession, directory: str) -> None:
    """Give this package to the executors, whose Python does not see the driver's folders."""
    package = Path(__file__).parent
    archive = shutil.make_archive(f"{directory}/users_stats", "zip", package.parent, package.name)
    spark.sparkContext.addPyFile(archive)


class _ProgressLog(StreamingQueryListener):
    """Logs one line per batch: counts and lag, no values."""

    def __init__(self, processor: Processor):
        self._processor = processor

    def onQueryStarted(self, event) -> None:  # noqa: N802
        log.info("query started, id %s", event.id)

    def onQueryProgress(self, event) -> None:  # noqa: N802
        progress = event.progress
        if progress.numInputRows:
            lag = progress.sources[0].metrics.get("maxOffsetsBehindLatest", "unknown")
            log.info("batch %d: %s behind=%s", progress.batchId, self._processor.progress, lag)

    def onQueryIdle(self, event) -> None:  # noqa: N802
        pass

    def onQueryTerminated(self, event) -> None:  # noqa: N802
        log.info("query ended, id %s", event.id)
