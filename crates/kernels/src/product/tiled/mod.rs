//! Products by a matrix unit: 16 × 16 sums at a time, four such tiles of sums together.
//!
//! Each tile of an operand that is read is multiplied twice: a unit does that in the time it takes to read them. The
//! bits of a sum depend on its own operands only, as with vectors: a tile never reaches past the end of a run.

mod left;
mod outer;
mod product;
mod right;
mod step;
mod sums;
