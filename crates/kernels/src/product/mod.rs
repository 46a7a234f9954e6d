//! Matrix products and sums of outer products, on rows that are found through pointers.

mod gemm;
mod joint;
mod outer;
mod pack;
mod panels;
mod rectangle;
mod rows;
mod tiled;

pub(crate) use gemm::{Product, in_cache_line, sums, task_rows};
pub(crate) use joint::{CHANNELS, Joint};
pub(crate) use outer::{Outer, SMALL, in_parts, parts_of};
pub(crate) use panels::Panels;
pub(crate) use rectangle::{Operands, add_product};
pub(crate) use rows::{Rows, place};
