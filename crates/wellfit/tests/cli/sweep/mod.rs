//! Every system call of the real binary that touches a file, and what is left when it goes wrong there.

mod allocations;
mod calls;
mod cases;
mod endings;
mod odd_systems;
mod scenarios;
mod tracer;
