//! End to end: the `sluice` binary between real servers, one file per behaviour.
//!
//! The servers start once and are shared; each scenario has its own database, topics and keyspace. The
//! scenarios run one after another, since some of them restart servers.

mod dead_letters;
mod faults;
mod operations;
mod pipeline;
mod schemas;
mod sluice;
mod takeover;
mod transactions;
mod validation;
mod world;

use std::{
    process::ExitCode,
    sync::{Arc, OnceLock},
};

use libtest_mimic::{Arguments, Trial};
use world::World;

/// A scenario's outcome; the error says what did not hold.
type Outcome = anyhow::Result<()>;

macro_rules! trials {
    ($world:ident: $($module:ident::$scenario:ident),* $(,)?) => {
        vec![$({
            let world = Arc::clone(&$world);
            Trial::test(stringify!($scenario), move || {
                let world = world.get_or_init(World::start);
                world.run($module::$scenario(world)).map_err(|error| format!("{error:#}").into())
            })
        }),*]
    };
}

fn main() -> ExitCode {
    let arguments = Arguments { test_threads: Some(1), ..Arguments::from_args() };
    let world: Arc<OnceLock<World>> = Arc::default();
    let trials = trials![world:
        validation::every_fault_of_a_file_is_named_at_once,
        validation::contradictions_and_unreadable_files_are_refused,
        validation::check_names_what_the_servers_lack,
        validation::describe_tells_the_properties_from_the_code,
        schemas::registered_schemas_equal_the_golden_files,
        schemas::columns_of_a_commit_that_nobody_sees_yet_are_known,
        operations::snapshot_then_stream_makes_cassandra_equal_postgres,
        operations::every_operation_arrives,
        operations::every_operation_arrives_without_before_images,
        operations::unchanged_toast_keeps_the_cell,
        operations::two_connectors_run_in_one_process,
        operations::idle_slot_follows_the_log,
        operations::sigterm_drains_and_exits_cleanly,
        transactions::ten_thousand_rows_commit_through_the_spool,
        transactions::rolled_back_work_never_arrives,
        transactions::delete_and_reinsert_of_one_key_ends_with_the_row,
        dead_letters::undecodable_record_goes_to_the_dead_letters_and_the_rest_flows,
        dead_letters::without_tolerance_an_undecodable_record_stops_the_sink,
        faults::unreadable_checkpoint_file_is_refused,
        faults::dropped_slot_is_a_gap,
        faults::killed_ten_times_under_load_loses_nothing,
        faults::restart_of_kafka_under_load_loses_nothing,
        faults::restart_of_cassandra_under_load_loses_nothing,
        faults::restart_of_postgres_under_load_loses_nothing,
        faults::registry_down_at_start_is_waited_for,
        takeover::debezium_stopped_under_load_and_back_leaves_no_gap_and_no_duplicate,
        takeover::debezium_killed_under_load_is_followed_with_duplicates_behind_its_offset_only,
        takeover::debezium_cut_off_inside_a_transaction_is_resumed_at_the_next_record,
        takeover::debezium_with_a_topic_of_offsets_of_its_own_is_followed_from_there,
        takeover::debezium_of_a_standalone_worker_hands_its_file_over_and_takes_it_back,
        pipeline::slot_of_idle_users_follows_airflows_heartbeats,
        pipeline::whole_pipeline_agrees_after_dags_and_erasures,
    ];
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop(world);
    conclusion.exit_code()
}
