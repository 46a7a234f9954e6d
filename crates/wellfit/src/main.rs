//! The `wellfit` command.
fn main() {}
