//! Zip files whose entries are stored as they are, which is all that PyTorch writes (APPNOTE.TXT 6.3.10).

use std::collections::HashMap;

use crate::{Fault, bytes::Bytes};

const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
const END_LENGTH: usize = 22;
const LOCATOR64_LENGTH: usize = 20;
const MAX_COMMENT: usize = u16::MAX as usize;
/// Where entries' bytes begin, as PyTorch has it, so that a loader may map them.
const ALIGNMENT: usize = 64;

/// Whether these bytes begin as a zip file does.
pub(super) fn recognises(bytes: &[u8]) -> bool {
    bytes.starts_with(&LOCAL)
}

/// A zip file's directory; entries are borrowed from the file's bytes.
pub(super) struct Archive<'a> {
    bytes: &'a [u8],
    names: Vec<&'a str>,
    entries: HashMap<&'a str, Entry>,
}

/// What the directory says of an entry.
struct Entry {
    flags: u16,
    method: u16,
    crc: u32,
    compressed: u64,
    size: u64,
    offset: u64,
}

impl<'a> Archive<'a> {
    /// Read the directory at the file's end.
    pub fn open(bytes: &'a [u8]) -> Result<Self, Fault> {
        let (count, offset) = directory(bytes)?;
        let mut archive = Self { bytes, names: Vec::new(), entries: HashMap::new() };
        let mut directory = Bytes::at(bytes, offset)?;
        for _ in 0..count {
            let (name, entry) = Entry::read(&mut directory)?;
            archive.names.push(name);
            if archive.entries.insert(name, entry).is_some() {
                return Err(Fault::damaged(format!("it has two entries named `{name}`")));
            }
        }
        Ok(archive)
    }

    /// The entries' names, in the directory's order.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.names.iter().copied()
    }

    /// The bytes of an entry that must be there.
    pub fn require(&self, name: &str) -> Result<&'a [u8], Fault> {
        self.get(name)?.ok_or_else(|| Fault::damaged(format!("its entry `{name}` is missing")))
    }

    /// The bytes of an entry, if it is there.
    pub fn get(&self, name: &str) -> Result<Option<&'a [u8]>, Fault> {
        let entry = self.entries.get(name);
        entry
            .map(|entry| entry.bytes(self.bytes, name).map_err(|fault| fault.of(&format!("entry `{name}`"))))
            .transpose()
    }
}

impl Entry {
    /// Read an entry of the directory.
    fn read<'a>(directory: &mut Bytes<'a>) -> Result<(&'a str, Self), Fault> {
        if directory.array()? != CENTRAL {
            return Err(Fault::damaged("its zip directory is broken"));
        }
        directory.take(4)?; // versions
        let (flags, method) = (directory.u16()?, directory.u16()?);
        directory.take(4)?; // time and date
        let crc = directory.u32()?;
        let (compressed, size) = (directory.u32()?, directory.u32()?);
        let (name, extra, comment) = (directory.u16()?, directory.u16()?, directory.u16()?);
        directory.take(8)?; // disk and attributes
        let offset = directory.u32()?;
        let name = directory.text(name.into())?;
        let mut wide = zip64(directory.take(extra.into())?)?;
        directory.take(comment.into())?;
        let mut widen = |field: u32| if field == u32::MAX { wide.u64() } else { Ok(field.into()) };
        // The wide fields are there only for those that overflow, in this order.
        let (size, compressed, offset) = (widen(size)?, widen(compressed)?, widen(offset)?);
        Ok((name, Self { flags, method, crc, compressed, size, offset }))
    }

    fn bytes<'a>(&self, file: &'a [u8], name: &str) -> Result<&'a [u8], Fault> {
        if self.method != 0 || self.compressed != self.size {
            return Err(Fault::Unsupported("it is compressed, as PyTorch never does".into()));
        }
        if self.flags & 1 != 0 {
            return Err(Fault::Unsupported("it is encrypted".into()));
        }
        let mut local = Bytes::at(file, self.offset)?;
        if local.array()? != LOCAL {
            return Err(Fault::damaged("its header is broken"));
        }
        local.take(22)?; // what the directory says too
        let (name_length, extra) = (local.u16()?, local.u16()?);
        if local.take(name_length.into())? != name.as_bytes() {
            return Err(Fault::damaged("its header has another name"));
        }
        local.take(extra.into())?;
        let bytes = local.take(self.size)?;
        // PyTorch writes 0 if asked not to compute it (`torch.serialization.set_crc32_options(False)`).
        if self.crc != 0 && crc32fast::hash(bytes) != self.crc {
            return Err(Fault::damaged("its checksum does not match"));
        }
        Ok(bytes)
    }
}

/// The directory's number of entries and offset, from the record at the file's end.
fn directory(bytes: &[u8]) -> Result<(u64, u64), Fault> {
    let earliest = bytes.len().saturating_sub(END_LENGTH + MAX_COMMENT);
    let end = bytes[earliest..].windows(END.len()).rposition(|window| window == END);
    let Some(end) = end.map(|end| earliest + end) else {
        return Err(Fault::damaged("its end is missing (a zip file's directory)"));
    };
    let mut record = Bytes::at(bytes, end as u64)?;
    record.take(10)?;
    let (count, _size, offset, comment) = (record.u16()?, record.u32()?, record.u32()?, record.u16()?);
    record.take(comment.into())?;
    if count != u16::MAX && offset != u32::MAX {
        return Ok((count.into(), offset.into()));
    }
    let mut locator = Bytes::at(bytes, end.saturating_sub(LOCATOR64_LENGTH) as u64)?;
    if locator.array()? != LOCATOR64 {
        return Ok((count.into(), offset.into()));
    }
    locator.take(4)?;
    let mut record = Bytes::at(bytes, locator.u64()?)?;
    if record.array()? != END64 {
        return Err(Fault::damaged("its zip64 directory is broken"));
    }
    record.take(28)?;
    let (count, _size, offset) = (record.u64()?, record.u64()?, record.u64()?);
    Ok((count, offset))
}

/// The zip64 field among an entry's extra fields; empty if there is none.
fn zip64(extra: &[u8]) -> Result<Bytes<'_>, Fault> {
    const ZIP64: u16 = 1;
    let mut fields = Bytes::new(extra);
    while fields.position() < extra.len() {
        let (id, length) = (fields.u16()?, fields.u16()?);
        let field = fields.take(length.into())?;
        if id == ZIP64 {
            return Ok(Bytes::new(field));
        }
    }
    Ok(Bytes::new(&[]))
}

/// A zip file being written.
#[derive(Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    count: u16,
}

impl Writer {
    /// Add an entry.
    pub fn add(&mut self, name: &str, content: &[u8]) -> Result<(), Fault> {
        let too_large =
            |_| Fault::Invalid("a .pth of 4 GiB or 65,536 arrays; write safetensors instead".into());
        let offset = u32::try_from(self.bytes.len()).map_err(too_large)?;
        let size = u32::try_from(content.len()).map_err(too_large)?;
        self.count = u16::try_from(usize::from(self.count) + 1).map_err(too_large)?;
        let common = common_fields(name, crc32fast::hash(content), size);
        let unpadded = self.bytes.len() + 30 + name.len() + 4;
        let padding = unpadded.next_multiple_of(ALIGNMENT) - unpadded;

        self.bytes.extend(LOCAL);
        self.bytes.extend(&common);
        self.bytes.extend((padding as u16 + 4).to_le_bytes());
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(*b"FB");
        self.bytes.extend((padding as u16).to_le_bytes());
        self.bytes.extend(std::iter::repeat_n(b'Z', padding));
        self.bytes.extend(content);

        self.directory.extend(CENTRAL);
        self.directory.extend([0; 2]); // made by
        self.directory.extend(&common);
        self.directory.extend([0; 12]); // extra, comment, disk, attributes
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(name.as_bytes());
        Ok(())
    }

    /// The whole file.
    pub fn finish(mut self) -> Result<Vec<u8>, Fault> {
        let too_large = |_| Fault::Invalid("a .pth of 4 GiB; write safetensors instead".into());
        let offset = u32::try_from(self.bytes.len()).map_err(too_large)?;
        let size = u32::try_from(self.directory.len()).map_err(too_large)?;
        self.bytes.append(&mut self.directory);
        self.bytes.extend(END);
        self.bytes.extend([0; 4]); // disks
        self.bytes.extend([self.count.to_le_bytes(); 2].as_flattened());
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(offset.to_le_bytes());
        self.bytes.extend([0; 2]); // comment
        Ok(self.bytes)
    }
}

/// What an entry's header and its place in the directory share: from the version to the name's length.
fn common_fields(name: &str, crc: u32, size: u32) -> Vec<u8> {
    // Version 0, a UTF-8 name, stored, at midnight of no day: nothing that differs between two runs.
    let mut fields = vec![0, 0, 0, 8, 0, 0, 0, 0, 0, 0];
    fields.extend(crc.to_le_bytes());
    fields.extend([size.to_le_bytes(); 2].as_flattened());
    fields.extend((name.len() as u16).to_le_bytes());
    fields
}
