//! What the threads of kernels do with their time, for those who measure it: nothing is counted before [`start`].

mod counters;
mod limit;

pub use counters::{Profile, Watch, Work, start, stop};
pub use limit::{memory_limit, multiply_add_limit};
