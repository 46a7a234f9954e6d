//! One file a command.

pub mod data_show;
pub mod evaluate;
pub mod export;
pub mod predict;
pub mod replay;
pub mod runs;
pub mod train;
