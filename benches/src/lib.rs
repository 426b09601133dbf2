//! What make bench runs: Ephor beside its peers.
