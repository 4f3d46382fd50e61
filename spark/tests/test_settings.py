from datetime import date

import pytest

from users_stats.settings import parse

REQUIRED = [
    *("--bootstrap-servers", "kafka:9092"),
    *("--schema-registry", "http://registry:8081"),
    *("--topic", "users.public.users"),
    *("--cassandra", "cassandra:9042"),
]


def test_defaults_need_only_addresses_and_a_checkpoint():
    settings = parse([*REQUIRED, "--checkpoint", "cp"])

    assert (settings.keyspace, settings.mode, settings.age_at) == ("spark_streams", "stream", date(2026, 1, 1))
    assert (settings.cassandra_host, settings.cassandra_port) == ("cassandra", 9042)


def test_kafka_properties_reach_every_client():
    settings = parse([*REQUIRED, "--checkpoint", "cp", "--kafka-property", "sasl.jaas.config=a=b"])

    assert settings.kafka_options == {"kafka.bootstrap.servers": "kafka:9092", "kafka.sasl.jaas.config": "a=b"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--checkpoint is needed"),
        (["--mode", "backfill", "--cassandra", "cassandra"], "is not HOST:PORT"),
        (["--mode", "backfill", "--keyspace", "drop table"], "is not a keyspace"),
        (["--mode", "backfill", "--trigger", "often"], "neither an interval"),
        (["--mode", "backfill", "--max-offsets-per-trigger", "0"], "is not a positive whole number"),
    ],
)
def test_wrong_settings_are_refused_with_what_is_allowed(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit) as exit_:
        parse([*REQUIRED, *arguments])

    assert exit_.value.code == 2
    assert message in capsys.readouterr().err


def test_secret_of_a_wrong_kafka_property_is_not_shown(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        parse([*REQUIRED, "--kafka-property", "=secret"])

    assert "secret" not in capsys.readouterr().err
