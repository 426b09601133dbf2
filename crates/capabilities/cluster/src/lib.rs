//! One analysis on many machines: Ephor's functions on a Ballista scheduler and executors.
