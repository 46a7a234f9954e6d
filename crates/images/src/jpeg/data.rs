//! The data of a scan (ITU-T T.81, B.1.1.5), free of the bytes that keep it apart from markers.

use std::ops::Range;

use super::bits::Bits;
use crate::error::Defect;

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
    pub(super) fn bits(&self, interval: usize) -> Result<Bits<'_>, Defect> {
        match self.intervals.get(interval) {
            Some(range) => Ok(Bits::new(&self.bytes[range.start..range.end + PADDING.len()])),
            None if self.cut => Err(Defect::Truncated),
            None => Err(Defect::Corrupt("a restart marker is missing")),
        }
    }
}

/// How many bytes come before the first FF.
fn first_ff(bytes: &[u8]) -> usize {
    let has_ff = |chunk: &&[u8; 16]| chunk.iter().fold(false, |any, &byte| any | (byte == 0xFF));
    let clean = 16 * bytes.as_chunks().0.iter().take_while(|chunk| !has_ff(chunk)).count();
    clean + bytes[clean..].iter().take_while(|&&byte| byte != 0xFF).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of each interval behind the first byte, and all that was read.
    fn read(file: &[u8], intervals: usize) -> (Vec<Vec<u8>>, Data) {
        let data = Data::read(file, 1, intervals);
        let all = data.intervals.iter().map(|range| data.bytes[range.clone()].to_vec()).collect();
        (all, data)
    }

    #[test]
    fn stuffing_is_taken_out_up_to_the_marker() {
        let long = [&[7; 40][..], &[0xFF, 0, 0xFF, 0, 8, 0xFF, 0xD9, 9]].concat();
        let (intervals, data) = read(&long, 1);
        assert_eq!(intervals, [[&[7; 39][..], &[0xFF, 0xFF, 8]].concat()]);
        assert_eq!((data.end, data.cut), (45, false));
        assert_eq!(data.bytes[42..], PADDING);
    }

    #[test]
    fn restart_markers_part_as_many_intervals_as_there_may_be() {
        let file = [0, 1, 0xFF, 0xD0, 2, 0xFF, 0xFF, 0xD1, 3, 0xFF, 0xD2, 4];
        assert_eq!(read(&file, 9).0, [[1], [2], [3], [4]]);
        assert!(read(&file, 9).1.cut);
        let (intervals, data) = read(&file, 2);
        assert_eq!((intervals, data.end, data.cut), (vec![vec![1], vec![2]], 5, false));
    }

    #[test]
    fn a_restart_marker_out_of_turn_ends_the_data() {
        let (intervals, data) = read(&[0, 1, 0xFF, 0xD1, 2], 9);
        assert_eq!((intervals, data.end), (vec![vec![1]], 2));
        assert!(matches!(data.bits(1), Err(Defect::Corrupt("a restart marker is missing"))));
    }

    #[test]
    fn bits_beyond_the_data_are_zeros_and_counted() {
        let data = Data::read(&[0xAA, 0xBB], 1, 1);
        let mut bits = data.bits(0).unwrap();
        assert_eq!((bits.take(12), bits.unread()), (0xBB0, -4));
        assert!(matches!(data.bits(1), Err(Defect::Truncated)));
    }
}
