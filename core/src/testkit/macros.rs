//! One test for each check.

/// Makes a module `conformance` with one test for each check of a sink.
///
/// The expression gives a fresh [`SinkHarness`](crate::testkit::SinkHarness) each time and may `.await`.
/// The crate needs `tokio` with `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! sink_conformance {
    ($harness:expr) => {
        $crate::conformance_tests! { sink, $harness =>
            flushed_is_durable
            written_twice_is_written_once
            flush_after_error_writes_all
            rejection_names_its_record
            empty_flush_succeeds
            close_twice
        }
    };
}

/// Makes a module `conformance` with one test for each check of a source.
///
/// The expression gives a fresh [`SourceHarness`](crate::testkit::SourceHarness) each time and may `.await`.
/// The crate needs `tokio` with `macros` and `rt-multi-thread`.
#[macro_export]
macro_rules! source_conformance {
    ($harness:expr) => {
        $crate::conformance_tests! { source, $harness =>
            resume_loses_nothing
            unacknowledged_is_repeated
            cancel_loses_nothing
            close_twice
        }
    };
}

/// Makes the module; used by the two macros above.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($end:ident, $harness:expr => $($check:ident)+) => {
        mod conformance {
            #[allow(unused_imports, reason = "the harness stands in the file around")]
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $check() -> Result<(), $crate::testkit::Violation> {
                    $crate::testkit::$end::$check(&$harness).await
                }
            )+
        }
    };
}
