//! Sluice: change data capture.
