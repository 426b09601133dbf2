pub(crate) mod gate;
