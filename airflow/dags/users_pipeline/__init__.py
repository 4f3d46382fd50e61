"""What the DAGs of the users pipeline do, as plain Python.

The modules know Postgres, Cassandra, Kafka and HTTP, but not Airflow; only `airflow_side` does.
A DAG file says when and in what order.
"""
