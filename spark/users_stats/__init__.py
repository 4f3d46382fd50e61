"""Statistics over the change events of `public.users`: Kafka in, Cassandra out, Spark in between.

Read in this order:

- `settings`: the command line.
- `main`: the session, the streaming query or the batch over the whole topic, and how they stop.
- `processor`: what is done with one batch, and in which order, so that a crash anywhere leaves exact numbers.
- `decode`: a Kafka message to a flat change, or the reason why it is none.
- `person`: what a person's changes do to the statistics. Pure: no Spark, no I/O.
- `totals`: from per-person effects to rows of the aggregate tables. Pure.
- `store`: the tables, the journal of batches, and the guarded additions.
- `registry`: writer schemas by id.
- `topics`: the dead letter topic.
"""
