//! The one direction in which the workspace's crates may depend on each other.
