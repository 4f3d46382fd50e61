//! The `sluice` program: the built-in connectors behind the command line.

use std::process::ExitCode;

/// One allocator for all the small slices of a busy pipeline; glibc's keeps more memory than it uses.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    sluice::run(&sluice::connectors::built_in())
}
