//! What sums over the processes of an MPI launcher take, and whether they have the bits that they should:
//! `mpirun -n 4 target/release/examples/sums 4`, built with `--features mpi`. It fails where it is not one of so many processes, as
//! when the launcher is not that of the MPI it was built for.

use std::error::Error;
use std::time::Instant;
use wellfit_cluster::{Link, mpi::Session};

/// Sums of each length.
const TIMES: u32 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let Some((_session, group)) = Session::begin()? else {
        return Err("start it by mpirun".into());
    };
    let link = Link::new(group)?;
    let (rank, size) = (link.rank(), link.size());
    if let Some(expected) = std::env::args().nth(1).filter(|expected| *expected != size.to_string()) {
        return Err(format!("this is one of {size} processes, not of {expected}").into());
    }
    for length in [1 << 10, 1 << 18, 25 << 18] {
        // Eight terms, of which each process adds its own.
        let terms: Vec<Vec<f32>> = (0..8).map(|term| numbers(term, length)).collect();
        let own = tree(&terms[rank * 8 / size..(rank + 1) * 8 / size]);
        let sum = link.sum(own.clone()).wait()?;
        if sum.iter().zip(&tree(&terms)).any(|(sum, expected)| sum.to_bits() != expected.to_bits()) {
            return Err(format!("process {rank} of {size} has another sum of {length} numbers").into());
        }
        let began = Instant::now();
        for _ in 0..TIMES {
            link.sum(own.clone()).wait()?;
        }
        if rank == 0 {
            let (bytes, each) = (4 * length, began.elapsed().as_secs_f64() / f64::from(TIMES));
            println!("{size} processes, {bytes} bytes: {:.3} ms a sum", 1e3 * each);
        }
    }
    Ok(())
}

/// Large and small ones, whose sum depends on the order.
fn numbers(term: usize, length: usize) -> Vec<f32> {
    let number = |place: usize| {
        if (term + place).is_multiple_of(5) { 1e8 } else { ((term * 31 + place * 17) % 97) as f32 * 0.31 }
    };
    (0..length).map(number).collect()
}

/// The sum of neighbours, of neighbouring pairs, and so on.
fn tree(terms: &[Vec<f32>]) -> Vec<f32> {
    let [left, right] = match terms {
        [only] => return only.clone(),
        more => [&more[..more.len() / 2], &more[more.len() / 2..]].map(tree),
    };
    left.iter().zip(right).map(|(left, right)| left + right).collect()
}
