//! NumPy's `.npy` format: a header in Python's words, then the numbers
//! (<https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>).

/// An array of a file.
#[derive(Debug)]
pub(crate) struct Npy<'a> {
    /// Kind and width of an element, such as `|u1` or `<i8`.
    pub dtype: String,
    pub shape: Vec<usize>,
    fortran: bool,
    data: &'a [u8],
}

impl<'a> Npy<'a> {
    /// Read the header, and see that the data are as long as it says.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let broken = || "its header is damaged".to_owned();
        let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or("it is no array of NumPy")?;
        let (length, start) = match rest {
            [1, _, a, b, ..] => (usize::from(u16::from_le_bytes([*a, *b])), 4),
            [2 | 3, _, a, b, c, d, ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, 6),
            _ => return Err(broken()),
        };
        let end = start + length;
        let header =
            rest.get(start..end).and_then(|header| std::str::from_utf8(header).ok()).ok_or_else(broken)?;
        let after = |key: &str| header.split_once(&format!("'{key}':")).map(|(_, after)| after.trim_start());
        let descr = after("descr").ok_or_else(broken)?;
        let dtype = descr
            .strip_prefix('\'')
            .and_then(|text| text.split_once('\''))
            .map(|(dtype, _)| dtype.to_owned())
            .ok_or("it has fields, where it must be a plain array")?;
        if dtype.contains('O') {
            return Err(
                "it is an array of Python objects, which could run anything: save numbers or texts".into()
            );
        }
        let shape =
            after("shape").and_then(|text| text.strip_prefix('(')?.split_once(')')).ok_or_else(broken)?.0;
        let shape = shape.split(',').map(str::trim).filter(|size| !size.is_empty());
        let shape: Vec<usize> =
            shape.map(|size| size.parse().map_err(|_| broken())).collect::<Result<_, _>>()?;
        let fortran = after("fortran_order").ok_or_else(broken)?.starts_with("True");
        let array = Self { dtype, shape, fortran, data: &rest[end..] };
        let size =
            array.width().and_then(|width| array.shape.iter().try_fold(width, |a, &b| a.checked_mul(b)));
        if size != Some(array.data.len()) {
            return Err(format!("its {} bytes of data are not what its header says", array.data.len()));
        }
        Ok(array)
    }

    /// Bytes of an element.
    fn width(&self) -> Option<usize> {
        let number: usize = self.dtype.get(2..)?.parse().ok()?;
        Some(if self.kind() == Some('U') { 4 * number } else { number })
    }

    /// `u`, `i`, `f`, `U` (text), `S` (bytes) or `b`.
    pub fn kind(&self) -> Option<char> {
        self.dtype.chars().nth(1)
    }

    /// Each element's bytes, in C order whatever the file's.
    pub fn elements(&self) -> impl Iterator<Item = &'a [u8]> + '_ {
        let width = self.width().unwrap_or(1).max(1);
        let count = self.data.len() / width;
        let mut at = vec![0_usize; self.shape.len()];
        (0..count).map(move |number| {
            let place = if self.fortran { self.in_fortran_order(&at) } else { number };
            for (index, &size) in at.iter_mut().zip(&self.shape).rev() {
                *index += 1;
                if *index < size {
                    break;
                }
                *index = 0;
            }
            &self.data[place * width..][..width]
        })
    }

    fn in_fortran_order(&self, at: &[usize]) -> usize {
        at.iter().zip(&self.shape).rev().fold(0, |place, (index, size)| place * size + index)
    }

    /// All bytes of an array of bytes, in C order.
    pub fn bytes(&self) -> Vec<u8> {
        if self.fortran { self.elements().flatten().copied().collect() } else { self.data.to_vec() }
    }

    /// The elements as texts: whole numbers, or texts as they are.
    pub fn texts(&self) -> Result<Vec<String>, String> {
        let big = self.dtype.starts_with('>');
        let whole = |bytes: &[u8], signed: bool| {
            let mut wide = [0_u8; 8];
            let is_negative = signed && bytes[if big { 0 } else { bytes.len() - 1 }] & 0x80 != 0;
            wide.fill(if is_negative { 0xff } else { 0 });
            for (to, from) in wide.iter_mut().zip(little(bytes, big)) {
                *to = from;
            }
            if signed { i64::from_le_bytes(wide).to_string() } else { u64::from_le_bytes(wide).to_string() }
        };
        let text = |bytes: &[u8]| -> String {
            let points = bytes.chunks_exact(4).map(|bytes| little(bytes, big));
            let points =
                points.map(|bytes| bytes.iter().rev().fold(0_u32, |sum, &byte| sum << 8 | u32::from(byte)));
            points
                .take_while(|&point| point != 0)
                .map(|point| char::from_u32(point).unwrap_or('\u{fffd}'))
                .collect()
        };
        match self.kind() {
            Some('u' | 'b') => Ok(self.elements().map(|bytes| whole(bytes, false)).collect()),
            Some('i') => Ok(self.elements().map(|bytes| whole(bytes, true)).collect()),
            Some('U') => Ok(self.elements().map(text).collect()),
            Some('S') => {
                let plain = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
                Ok(self.elements().map(plain).collect())
            }
            _ => Err(format!("labels of type {} are neither whole numbers nor texts", self.dtype)),
        }
    }
}

/// The bytes from the smallest to the greatest.
fn little(bytes: &[u8], big: bool) -> Vec<u8> {
    if big { bytes.iter().rev().copied().collect() } else { bytes.to_vec() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        [bytes, header.as_bytes().to_vec(), data.to_vec()].concat()
    }

    #[test]
    fn fortran_order_is_turned_and_numbers_are_read() {
        let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n";
        let bytes = file(header, &[0, 3, 1, 4, 2, 5]);
        assert_eq!(Npy::parse(&bytes).unwrap().bytes(), [0, 1, 2, 3, 4, 5]);
        let bytes = file("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }", &[0xff, 0xfe, 1, 0]);
        assert_eq!(Npy::parse(&bytes).unwrap().texts().unwrap(), ["-2", "256"]);
        let bytes =
            file("{'descr': '<U2', 'fortran_order': False, 'shape': (1,), }", &[0xe9, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Npy::parse(&bytes).unwrap().texts().unwrap(), ["é"]);
    }

    #[test]
    fn broken_arrays_are_refused() {
        for (header, data) in [
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }", &[0; 5][..]),
            ("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 99999999999, 9), }", &[0; 5]),
            ("{'descr': '|O', 'fortran_order': False, 'shape': (5,), }", &[0; 5]),
            ("{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (5,), }", &[0; 5]),
            ("nonsense", &[0; 5]),
        ] {
            assert!(Npy::parse(&file(header, data)).is_err(), "{header}");
        }
        assert!(Npy::parse(b"\x93NUMPY\x01\x00\xff\xff").is_err());
    }
}
