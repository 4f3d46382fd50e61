//! Built-in transforms and predicates, under their well-known class names.
