"""Topics of Kafka, through the client that Spark's Kafka source brings."""

from pyspark.sql import SparkSession

from users_stats.settings import Settings


def create_missing_topic(spark: SparkSession, settings: Settings, name: str) -> None:
    """Create a topic with one partition and the broker's other defaults, unless it is there.

    Spark's Kafka sink leaves this to the broker, and many brokers are told not to create topics.
    """
    jvm = spark._jvm
    properties = jvm.java.util.Properties()
    for option, value in settings.kafka_options.items():
        properties.put(option.removeprefix("kafka."), value)
    admin = jvm.org.apache.kafka.clients.admin.Admin.create(properties)
    try:
        if not admin.listTopics().names().get().contains(name):
            optional = jvm.java.util.Optional
            topic = jvm.org.apache.kafka.clients.admin.NewTopic(name, optional.of(1), optional.empty())
            admin.createTopics(jvm.java.util.Collections.singleton(topic)).all().get()
    finally:
        admin.close()
