//! The peak of memory.

use super::samples::single;
use std::path::Path;
use wellfit::base::file;
use wellfit::run::figures::bytes;

/// The most memory this process has held so far, in MiB, as Linux counts it (`VmHWM`, the "high-water mark" of
/// pages in memory); none elsewhere.
pub fn peak_mib() -> Option<f64> {
    let status = file::read_text(Path::new("/proc/self/status"), 1 << 20).ok()?;
    high_water(&status).map(|kib| kib as f64 / 1024.0)
}

/// That figure as a row of a table.
pub fn peak_row(mib: f64) -> [String; 4] {
    single("peak memory", bytes((mib * 1024.0 * 1024.0) as u64))
}

fn high_water(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_high_water_mark_is_read_from_the_status() {
        let status = "Name:\twellfit\nVmPeak:\t  300000 kB\nVmHWM:\t  204800 kB\nVmRSS:\t 1024 kB\n";
        assert_eq!(super::high_water(status), Some(204_800));
        assert_eq!(super::high_water("Name:\twellfit\n"), None);
    }
}
