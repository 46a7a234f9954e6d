//! The data of a scan (ITU-T T.81, B.1.1.5), free of the bytes that keep it apart from markers.

use std::ops::Range;

use super::Problem;
use super::bits::Bits;

/// The data between a scan's header and the next marker, restart markers aside. `FF 00` has become `FF`.
pub(super) struct Data {
    /// All intervals, zeros behind each.
    bytes: Vec<u8>,
    intervals: Vec<Range<usize>>,
    /// Where in the file the marker is that ends the data.
    pub(super) end: usize,
    /// Whether the file is too short to have that marker.
    pub(super) cut: bool,
}

/// As many zeros as are read at once.
const PADDING: [u8; 8] = [0; 8];

impl Data {
    /// The data from byte `at` of the file, at most so many intervals with restart markers between them.
    pub(super) fn read(file: &[u8], at: usize, intervals: usize) -> Self {
        let rest = file.get(at..).unwrap_or_default();
        let mut data =
            Self { bytes: Vec::with_capacity(rest.len()), intervals: Vec::new(), end: at, cut: false };
        loop {
            data.interval(file);
            let count = data.intervals.len();
            let marker = data.end + file[data.end..].iter().take_while(|&&byte| byte == 0xFF).count();
            let restart = file.get(marker) == Some(&(0xD0 + (count - 1) as u8 % 8));
            if count >= intervals || !restart {
                return data;
            }
            data.end = marker + 1;
        }
    }

    /// Read on, to the next marker.
    fn interval(&mut self, file: &[u8]) {
        let start = self.bytes.len();
        loop {
            let rest = file.get(self.end..).unwrap_or_default();
            let plain = rest.len().min(first_ff(rest));
            self.bytes.extend_from_slice(&rest[..plain]);
            self.end += plain;
            self.cut = plain == rest.len();
            let [0xFF, 0, ..] = rest[plain..] else { break };
            self.bytes.push(0xFF);
            self.end += 2;
        }
        self.intervals.push(start..self.bytes.len());
        self.bytes.extend(PADDING);
    }

    /// The bits of an interval, counted from 0.
    pub(super) fn bits(&self, interval: usize) -> Result<Bits<'_>, Problem> {
        match self.intervals.get(interval) {
            Some(range) => Ok(Bits::new(&self.bytes[range.start..range.end + PADDING.len()])),
            None if self.cut => Err(Problem::Truncated),
            None => Err(Problem::Corrupt("a restart marker is missing")),
        }
    }
}

/// How many bytes come before the first FF.
fn first_ff(bytes: &[u8]) -> usize {
    let has_ff = |chunk: &&[u8; 16]| chunk.iter().fold(false, |any, &byte| any | (byte == 0xFF));
    let clean = 16 * bytes.as_chunks().0.iter().take_while(|chunk| !has_ff(chunk)).count();
    clean + bytes[clean..].iter().take_while(|&&byte| byte != 0xFF).count()
}
