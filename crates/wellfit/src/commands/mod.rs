//! One file a command.

pub mod bench;
pub mod data_show;
pub mod evaluate;
pub mod export;
pub mod job;
pub mod plot;
pub mod predict;
pub mod replay;
pub mod resume;
pub mod runs;
pub mod train;
pub mod verify_resume;
