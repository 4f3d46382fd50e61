//! From Debezium in Kafka Connect to Sluice and back, under load, with one connector file.
//!
//! One connection writes what a [`load::Script`] says, and the script knows the records that must come of it, in
//! order. The topic has one partition; ours are told from Debezium's by their header.

mod case;
mod connect;
mod load;
mod topic;

use std::{fs, path::Path};

use anyhow::{Context, ensure};
use case::Case;
use connect::Connect;
use load::{Load, Script};
use serde_json::{Value as Json, json};
use sluice_core::connect_offsets::{SourceOffset, from_pairs, java_map};
use topic::Seen;

use crate::{
    Outcome,
    world::{World, until},
};

/// The worker's topic of offsets.
const OFFSETS_TOPIC: &str = "differential-offsets";

/// Checks that records are those of the script from a place on, and returns where they end.
fn follows(script: &Script, from: usize, records: &[Seen]) -> anyhow::Result<usize> {
    let expected = script.expected().get(from..).unwrap_or_default();
    for (index, record) in records.iter().enumerate() {
        ensure!(
            expected.get(index) == Some(&record.event),
            "record {index} is `{}` instead of `{:?}`, the {}th of the script",
            record.event,
            expected.get(index),
            from + index
        );
    }
    Ok(from + records.len())
}

/// Where in the records that the script expects an offset points to: behind the first one at its LSN.
fn proved_by(offset: &Json, records: &[Seen]) -> anyhow::Result<usize> {
    let at =
        |record: &Seen| record.lsn == offset["lsn"].as_i64() && record.transaction == offset["txId"].as_i64();
    Ok(records.iter().position(at).with_context(|| format!("no record is at {offset}"))? + 1)
}

/// Cuts the topic into runs of records by the same writer.
fn runs(records: &[Seen]) -> Vec<&[Seen]> {
    records.chunk_by(|one, other| one.ours == other.ours).collect()
}

pub(crate) async fn debezium_stopped_under_load_and_back_leaves_no_gap_and_no_duplicate(
    world: &World,
) -> Outcome {
    let (case, connect, script) = Case::start(world, "handover").await?;
    let load = Load::start(script);
    case.wait_for(500).await?;

    connect.stop().await?;
    let offset = connect.offset().await?;
    let mut sluice = case.sluice()?;
    sluice.wait_for_state("handover", "running").await?;
    case.wait_for(2_000).await?;
    // A second hand-over, back, in the middle of the load.
    let exit = sluice.terminate().await?;
    ensure!(exit.success(), "SIGTERM ended with {exit}");
    connect.alter(&case.command(&["export-offsets", "--format", "json"]).await?).await?;
    let given = connect.offset().await?;
    connect.resume().await?;
    case.wait_for(case.records()?.len() + 1_000).await?;
    let script = load.stop().await?;
    case.wait_for_end(&script).await?;
    connect.delete().await?;

    handed_over_and_back(&script, &case.records()?, &offset, &given)
}

/// Checks the records of Debezium until an `offset`, of Sluice until the offset that was `given` back, and of Debezium.
fn handed_over_and_back(script: &Script, records: &[Seen], offset: &Json, given: &Json) -> Outcome {
    let runs = runs(records);
    ensure!(runs.len() == 3, "Debezium, Sluice, Debezium: {} runs", runs.len());
    follows(script, 0, runs[0])?;
    let from = proved_by(offset, runs[0])?;
    let end = follows(script, from, runs[1])?;
    let repeated = &runs[0][from..];
    let shares = |record: &Seen| record.lsn.is_none() || record.lsn == offset["lsn"].as_i64();
    ensure!(repeated.iter().all(shares), "{} records were repeated, not all of one LSN", repeated.len());
    // We stop at the end of a transaction; of one that was cut off no part was acknowledged.
    let acknowledged = |record: &Seen| record.commit < given["lsn"].as_i64();
    let back = from + runs[1].partition_point(acknowledged);
    ensure!(back <= end, "Debezium was told to go on past what was delivered");
    ensure!(follows(script, back, runs[2])? == script.expected().len(), "the end is missing");
    Ok(())
}

pub(crate) async fn debezium_killed_under_load_is_followed_with_duplicates_behind_its_offset_only(
    world: &World,
) -> Outcome {
    let (case, connect, script) = Case::start(world, "crashed").await?;
    let worker = world.stack.connect.as_ref().context("the stack has a worker of Kafka Connect")?;
    let load = Load::start(script);
    case.wait_for(1_500).await?;

    worker.kill()?;
    let taken = take_over_from_the_dead(&case, load).await;
    // Others need the worker, whatever came of this. It runs the connector again, which is told to go on.
    worker.start()?;
    let (offset, mut script) = taken?;
    script.transaction(200).await?;
    case.wait_for_end(&script).await?;
    connect.delete().await?;

    let records = case.records()?;
    let runs = runs(&records);
    ensure!(runs.len() == 3, "Debezium, Sluice, Debezium: {} runs", runs.len());
    follows(&script, 0, runs[0])?;
    let from = proved_by(&offset, runs[0])?;
    let end = follows(&script, from, runs[1])?;
    // Sluice was stopped when all was delivered: nothing is repeated.
    ensure!(follows(&script, end, runs[2])? == script.expected().len(), "the end is missing");
    Ok(())
}

/// Imports the offset that is stored, lets Sluice deliver the rest, and stores its offset in turn, while the workers are
/// down. Returns the offset that there was, and the script.
async fn take_over_from_the_dead(case: &Case<'_>, load: Load) -> anyhow::Result<(Json, Script)> {
    // The server notices at once that the connection is gone, but takes its time to let go of the slot.
    let free = "SELECT active FROM pg_catalog.pg_replication_slots WHERE slot_name = 'crashed'";
    let sql = sluice_users::postgres::connect(&case.world.stack.postgres_config("crashed")).await?;
    until("the slot is free", || async { Ok(!sql.query_one(free, &[]).await?.get::<_, bool>(0)) }).await?;
    let imported = case.command(&["import-offsets", "--from-topic", OFFSETS_TOPIC]).await?;
    let shown = imported.lines().find(|line| line.trim_start().starts_with('{'));
    let offset = serde_json::from_str(shown.context("no offset is shown")?)?;
    let sluice = case.sluice()?;
    case.wait_for(case.records()?.len() + 1_500).await?;
    let script = load.stop().await?;
    case.wait_for_end(&script).await?;
    sluice.terminate().await?;
    case.command(&["export-offsets", "--to-topic", OFFSETS_TOPIC]).await?;
    Ok((offset, script))
}

pub(crate) async fn debezium_cut_off_inside_a_transaction_is_resumed_at_the_next_record(
    world: &World,
) -> Outcome {
    let (case, connect, mut script) = Case::start(world, "cutoff").await?;
    script.transaction(200).await?;
    script.transaction(3_000).await?;
    case.wait_for_end(&script).await?;
    connect.stop().await?;
    let delivered = case.records()?;
    // As if Connect had stored its offsets in the middle of the last transaction and then died.
    let last = delivered.last().and_then(|record| record.transaction);
    let of_last: Vec<_> = delivered.iter().filter(|record| record.transaction == last).collect();
    let middle = of_last[of_last.len() / 2];
    let mut offset = connect.offset().await?;
    offset["lsn"] = json!(middle.lsn);
    offset["lsn_proc"] = json!(middle.lsn);
    offset["messageType"] = json!(middle.message_type());
    let partition = json!({"server": case.name});
    connect.alter(&json!({"offsets": [{"partition": partition, "offset": offset}]}).to_string()).await?;

    let answer = case.directory.path().join("offsets.json");
    fs::write(&answer, connect.offsets().await?)?;
    case.command(&["import-offsets", "--from-json", &answer.display().to_string()]).await?;
    let sluice = case.sluice()?;
    script.transaction(100).await?;
    case.wait_for_end(&script).await?;
    sluice.terminate().await?;
    connect.delete().await?;

    let records = case.records()?;
    let runs = runs(&records);
    ensure!(runs.len() == 2, "Debezium, Sluice: {} runs", runs.len());
    let from = proved_by(&offset, runs[0])?;
    ensure!(from < runs[0].len() - 1_000, "the offset lies in the middle");
    ensure!(follows(&script, from, runs[1])? == script.expected().len(), "the end is missing");
    Ok(())
}

pub(crate) async fn debezium_with_a_topic_of_offsets_of_its_own_is_followed_from_there(
    world: &World,
) -> Outcome {
    const OWN: [(&str, &str); 1] = [("offsets.storage.topic", "owntopic-offsets")];
    const EMPTY: [(&str, &str); 1] = [("offsets.storage.topic", "owntopic-empty")];
    let (case, connect, mut script) = Case::start_with(world, "owntopic", &OWN).await?;
    script.transaction(40).await?;
    case.wait_for_end(&script).await?;
    connect.stop().await?;

    // The worker's topic has a copy, which counts where the connector's own has nothing.
    case.write(&EMPTY)?;
    let imported = case.command(&["import-offsets"]).await?;
    ensure!(
        imported.contains(&format!("in topic `{OFFSETS_TOPIC}`")),
        "imported from elsewhere:\n{imported}"
    );
    fs::remove_file(case.directory.path().join("offsets"))?;
    case.write(&OWN)?;
    script.transaction(40).await?;
    let sluice = case.sluice()?;
    case.wait_for_end(&script).await?;
    let log = sluice.log()?;
    sluice.terminate().await?;
    case.command(&["export-offsets", "--to-topic", "owntopic-offsets"]).await?;
    connect.resume().await?;
    script.transaction(40).await?;
    case.wait_for_end(&script).await?;
    connect.delete().await?;

    ensure!(log.contains("store=topic `owntopic-offsets`"), "read elsewhere:\n{log}");
    let records = case.records()?;
    let runs = runs(&records);
    ensure!(runs.len() == 3, "Debezium, Sluice, Debezium: {} runs", runs.len());
    ensure!(follows(&script, 0, &records)? == script.expected().len(), "a gap or a duplicate");
    Ok(())
}

/// Reads a standalone worker's file.
fn stored(file: &Path) -> anyhow::Result<Vec<SourceOffset>> {
    Ok(from_pairs(&java_map::read(&fs::read(file)?)?)?)
}

/// Finds the offset of a connector.
fn offset_of(stored: &[SourceOffset], connector: &str) -> anyhow::Result<Json> {
    let own = stored.iter().find(|offset| offset.connector == connector);
    let offset = own.and_then(|own| own.offset.clone());
    Ok(Json::Object(offset.with_context(|| format!("no offset of `{connector}` in {stored:?}"))?))
}

pub(crate) async fn debezium_of_a_standalone_worker_hands_its_file_over_and_takes_it_back(
    world: &World,
) -> Outcome {
    const WORKER: &str = "connect-standalone";
    let (case, script) = Case::prepare(world, "standalone", WORKER).await?;
    let (neighbour, mut beside) = Case::prepare(world, "neighbour", WORKER).await?;
    let worker = world.stack.standalone_worker(&[case.file(), neighbour.file()])?;
    let file = world.stack.directory().join(WORKER).join("connect.offsets");
    let url = format!("http://127.0.0.1:{}", worker.port());
    worker.start()?;
    let [connect, beside_it] = [&case, &neighbour].map(|case| Connect::new(&url, &case.name));
    connect.wait_until_running().await?;
    beside_it.wait_until_running().await?;
    let load = Load::start(script);
    beside.transaction(40).await?;
    neighbour.wait_for_end(&beside).await?;
    case.wait_for(500).await?;

    worker.stop()?;
    let left = stored(&file)?;
    let offset = offset_of(&left, &case.name)?;
    let mut sluice = case.sluice()?;
    sluice.wait_for_state(&case.name, "running").await?;
    // Nobody reads this one meanwhile.
    beside.transaction(40).await?;
    case.wait_for(2_000).await?;
    let log = sluice.log()?;
    let exit = sluice.terminate().await?;
    ensure!(exit.success(), "SIGTERM ended with {exit}");
    ensure!(log.contains("taking over from Kafka Connect"), "nothing was taken over:\n{log}");
    ensure!(stored(&file)? == left, "Sluice wrote into the worker's file");

    case.command(&["export-offsets", "--to-file", &file.display().to_string()]).await?;
    let given = stored(&file)?;
    let back = offset_of(&given, &case.name)?;
    ensure!(offset_of(&given, "neighbour")? == offset_of(&left, "neighbour")?, "the neighbour was moved");
    worker.start()?;
    connect.wait_until_running().await?;
    case.wait_for(case.records()?.len() + 1_000).await?;
    let script = load.stop().await?;
    case.wait_for_end(&script).await?;
    neighbour.wait_for_end(&beside).await?;
    worker.stop()?;

    handed_over_and_back(&script, &case.records()?, &offset, &back)?;
    // It went on where it was, without another snapshot.
    let neighbours = neighbour.records()?;
    ensure!(follows(&beside, 0, &neighbours)? == beside.expected().len(), "the neighbour lacks its end");
    Ok(())
}
