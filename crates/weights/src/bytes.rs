use crate::Fault;

/// A cursor over bytes that never reads past their end.
#[derive(Debug, Clone)]
pub(crate) struct Bytes<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bytes<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// A cursor that starts at `at`.
    pub fn at(bytes: &'a [u8], at: u64) -> Result<Self, Fault> {
        match usize::try_from(at) {
            Ok(at) if at <= bytes.len() => Ok(Self { bytes, at }),
            _ => Err(Fault::damaged(format!("it points to byte {at}, but has only {}", bytes.len()))),
        }
    }

    pub fn position(&self) -> usize {
        self.at
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: u64) -> Result<&'a [u8], Fault> {
        let rest = &self.bytes[self.at..];
        let taken = usize::try_from(n).ok().and_then(|n| rest.get(..n));
        let Some(taken) = taken else {
            return Err(Fault::damaged(format!(
                "{n} bytes should follow byte {}, but {} do",
                self.at,
                rest.len()
            )));
        };
        self.at += taken.len();
        Ok(taken)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N as u64)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8, Fault> {
        self.array().map(u8::from_le_bytes)
    }

    pub fn u16(&mut self) -> Result<u16, Fault> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, Fault> {
        self.array().map(u64::from_le_bytes)
    }

    /// The next `n` bytes as text.
    pub fn text(&mut self, n: u64) -> Result<&'a str, Fault> {
        let (at, bytes) = (self.at, self.take(n)?);
        std::str::from_utf8(bytes).map_err(|_| Fault::damaged(format!("the text at byte {at} is not UTF-8")))
    }

    /// Text up to the next line feed, which is skipped.
    pub fn line(&mut self) -> Result<&'a str, Fault> {
        let end = self.bytes[self.at..].iter().position(|&byte| byte == b'\n');
        let Some(end) = end else {
            return Err(Fault::damaged(format!("the line at byte {} has no end", self.at)));
        };
        let line = self.text(end as u64)?;
        self.at += 1;
        Ok(line)
    }
}
