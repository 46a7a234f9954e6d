//! Files of JSON lines: an append-only writer that crashes do not harm, and a tolerant reader.
//!
//! A line counts once its newline is there. Whatever follows the last newline is the trace of a crash:
//! the reader skips it and the next writer cuts it off.

use crate::error::{At, RecordError, Result};
use crate::io::{Io, replace_file, write_all};
use crate::manifest::read_file;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use wellfit_base::{Dir, Shown};

/// Appends rows to a file. Rows gather in memory until [`flush`](Self::flush), which is one write call.
#[derive(Debug)]
pub(crate) struct LineWriter {
    io: Arc<dyn Io>,
    dir: Arc<Dir>,
    name: &'static str,
    path: PathBuf,
    file: Arc<File>,
    /// Bytes of the file that are whole lines.
    length: u64,
    /// A write failed midway, so the file may be longer than `length`.
    torn: bool,
    buffer: Vec<u8>,
}

impl LineWriter {
    /// Opens the file of that name, which is made if it is missing; a torn last line is cut off.
    pub(crate) fn open(io: Arc<dyn Io>, dir: &Arc<Dir>, name: &'static str) -> Result<Self> {
        let (dir, path) = (Arc::clone(dir), dir.join(name));
        let file = Arc::new(io.open(&dir, name.as_ref()).at("open", &path)?);
        let bytes = read_file(&dir, name, MOST_BYTES)?;
        let length = whole_lines(&bytes).len() as u64;
        let torn = length < bytes.len() as u64;
        let mut writer = Self { io, dir, name, path, file, length, torn, buffer: Vec::new() };
        writer.flush()?;
        Ok(writer)
    }

    /// Whether it has no whole line, nor one that waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0 && self.buffer.is_empty()
    }

    /// Adds a row in memory and returns the number of bytes waiting there.
    pub(crate) fn push(&mut self, row: &impl Serialize) -> Result<usize> {
        let before = self.buffer.len();
        if let Err(error) = serde_json::to_writer(&mut self.buffer, row) {
            self.buffer.truncate(before);
            return Err(RecordError::Unwritable { path: self.path.clone(), problem: error.to_string() });
        }
        self.buffer.push(b'\n');
        Ok(self.buffer.len())
    }

    /// Writes the waiting rows. After an error they still wait, and the next call repairs the file first.
    pub(crate) fn flush(&mut self) -> Result<()> {
        if self.torn {
            self.io.truncate(&self.file, self.length).at("repair", &self.path)?;
        }
        self.torn = true;
        write_all(&*self.io, &self.file, &self.buffer).at("write", &self.path)?;
        self.torn = false;
        self.length += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Keeps only the rows that `keep` wants, and damaged lines before the last of these as they are. The file is replaced
    /// as a whole, or not at all.
    pub(crate) fn retain<T: DeserializeOwned>(&mut self, keep: impl Fn(&T) -> bool) -> Result<()> {
        self.flush()?;
        let bytes = read_file(&self.dir, self.name, MOST_BYTES)?;
        let wanted: Vec<Option<bool>> =
            lines(&bytes).map(|line| serde_json::from_slice(line).ok().map(|row| keep(&row))).collect();
        let end = wanted.iter().rposition(|wanted| *wanted == Some(true)).map_or(0, |last| last + 1);
        let kept = lines(&bytes).zip(wanted).take(end).filter(|(_, wanted)| wanted.unwrap_or(true));
        let kept: Vec<u8> = kept.flat_map(|(line, _)| line).copied().collect();
        if kept.len() == bytes.len() {
            return Ok(());
        }
        replace_file(&*self.io, &self.dir, self.name, &kept)?;
        self.file = Arc::new(self.io.open(&self.dir, self.name.as_ref()).at("open", &self.path)?);
        self.length = kept.len() as u64;
        Ok(())
    }

    /// Flushes, and gives what another thread needs to wait until all is on the disk.
    pub(crate) fn flushed(&mut self) -> Result<(PathBuf, Arc<File>)> {
        self.flush()?;
        Ok((self.path.clone(), Arc::clone(&self.file)))
    }

    /// Flushes and waits until all is on the disk.
    pub(crate) fn sync(&mut self) -> Result<()> {
        self.flush()?;
        self.io.sync(&self.file).at("write", &self.path)
    }
}

/// The rows of a file, and what was wrong with the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Log<T> {
    /// The readable rows, in order.
    pub rows: Vec<T>,
    /// The damaged lines.
    pub problems: Vec<Problem>,
    /// The file ends in the middle of a line: its writer crashed, or is writing just now.
    pub torn: bool,
}

/// A damaged line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, line {} is damaged and left out: {}", self.path.shown(), self.line, self.problem)
    }
}

/// How many damaged lines are reported one by one: a file of newlines only must not cost a hundred times its length.
const MOST_PROBLEMS: usize = 100;

/// More bytes than the line has that says whose file it is.
const LONGEST_FIRST: u64 = 256;

/// More bytes than a line of a step has.
const LONGEST_LAST: u64 = 4096;

/// The longest file of lines: 4 GiB are some twenty million steps.
const MOST_BYTES: u64 = 1 << 32;

/// The first line of a file, if it is whole and can be read.
pub(crate) fn first_line<T: DeserializeOwned>(dir: &Dir, name: &str) -> Option<T> {
    let mut head = Vec::new();
    dir.open_file(name).ok()?.take(LONGEST_FIRST).read_to_end(&mut head).ok()?;
    serde_json::from_slice(lines(&head).next()?.strip_suffix(b"\n")?).ok()
}

/// The last whole line of a file, if it can be read: the end of the file alone is looked at.
pub(crate) fn last_line<T: DeserializeOwned>(dir: &Dir, name: &str) -> Option<T> {
    let (mut file, length) = (dir.open_file(name).ok()?, dir.length(name).ok()??);
    file.seek(SeekFrom::Start(length.saturating_sub(LONGEST_LAST))).ok()?;
    let mut end = Vec::new();
    file.take(LONGEST_LAST).read_to_end(&mut end).ok()?;
    serde_json::from_slice(lines(whole_lines(&end)).last()?.strip_suffix(b"\n")?).ok()
}

/// The whole lines from some byte on, damaged ones left out, and the byte after them.
pub(crate) fn lines_after<T: DeserializeOwned>(dir: &Dir, name: &str, from: u64) -> Result<(Vec<T>, u64)> {
    let path = dir.join(name);
    let mut file = dir.open_file(name).at("read", &path)?;
    file.seek(SeekFrom::Start(from)).at("read", &path)?;
    let mut rest = Vec::new();
    file.take(MOST_BYTES).read_to_end(&mut rest).at("read", &path)?;
    let whole = whole_lines(&rest);
    let rows = lines(whole).filter_map(|line| serde_json::from_slice(line).ok()).collect();
    Ok((rows, from + whole.len() as u64))
}

/// Reads all whole lines of the file of that name.
pub(crate) fn read_lines<T: DeserializeOwned>(dir: &Dir, name: &str) -> Result<Log<T>> {
    let (bytes, path) = (read_file(dir, name, MOST_BYTES)?, dir.join(name));
    let whole = whole_lines(&bytes);
    let mut left_out = 0;
    let mut log = Log { rows: Vec::new(), problems: Vec::new(), torn: whole.len() < bytes.len() };
    for (index, line) in lines(whole).enumerate() {
        match serde_json::from_slice(line) {
            Ok(row) => log.rows.push(row),
            Err(_) if log.problems.len() == MOST_PROBLEMS => left_out += 1,
            Err(error) => {
                let problem = error.to_string();
                log.problems.push(Problem { path: path.clone(), line: index + 1, problem });
            }
        }
    }
    if let Some(last) = log.problems.last_mut().filter(|_| left_out > 0) {
        last.problem += &format!(" (and {left_out} damaged lines after it)");
    }
    Ok(log)
}

/// Lines with their newlines.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n')
}

/// The part of a file up to its last newline.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |last| last + 1);
    &bytes[..end]
}
