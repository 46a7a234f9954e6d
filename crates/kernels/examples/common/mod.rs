//! What the programs that measure share.

use std::time::Instant;

/// Seconds of a call: the median of seven after one to warm up.
pub fn median(mut work: impl FnMut()) -> f64 {
    work();
    let mut times: Vec<f64> = (0..7)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[3]
}
