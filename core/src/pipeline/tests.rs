//! The driver between a source and a sink in memory, in paused time.

mod ends;
mod order;
mod refusals;
mod world;
