//! Checkpoints as atomic commits.
//!
//! A checkpoint is a directory `checkpoints/NNNN-name`. NNNN counts the run's commits, and one rename is the whole
//! commit; there is no moment without a valid checkpoint and no pointer that could disagree with what it points to. The
//! newest of a name is the one with the highest number. Names starting with a dot are leftovers of a crash, or
//! directories that are being written or removed.
//!
//! A run that goes back to a checkpoint counts on from there, so that its checkpoints have the names that they would have
//! had. One of a later moment, such as that of the best epoch, stays until it is made again, and then changes places with
//! the new one.

use crate::blob::{Blob, WrittenFiles};
use crate::error::{At, RecordError, Result};
use crate::io::{Io, write_file};
use crate::manifest::{
    CHECKSUM, Checkpoint, CheckpointInfo, FileEntry, MANIFEST, MANIFEST_LIMIT, Manifest, check_name,
    checksum_line,
};
use crate::slots::{Slot, read_slot, slots};
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use wellfit_base::{Dir, hash};

const TEMPORARY: &str = ".tmp-";

/// Commits checkpoints to one directory. Only the run's owner may have one.
#[derive(Debug)]
pub(crate) struct CheckpointWriter {
    io: Arc<dyn Io>,
    root: Dir,
    /// The id of the run, which every checkpoint says.
    run: Option<String>,
    /// The number of the next commit.
    next: u64,
    written: WrittenFiles,
}

/// A checkpoint that is to be committed.
#[derive(Debug, Clone)]
pub struct Commit {
    /// Its name; it replaces the older ones of that name.
    pub name: String,
    /// How many of these, the newest, stay nevertheless.
    pub keep: usize,
    /// Name and content of its files. Where this process has put the very same [`Blob`] under the same name into a
    /// checkpoint that is now replaced, it is not written again. However many stay, each has a copy of its own.
    pub files: Vec<(String, Blob)>,
    /// Where in the run it was taken.
    pub info: CheckpointInfo,
}

impl CheckpointWriter {
    /// Opens or makes the directory `name` of a run and removes what crashed commits left in it.
    pub(crate) fn open(io: Arc<dyn Io>, dir: &Dir, name: &str, run: Option<&str>) -> Result<Self> {
        let path = dir.join(name);
        match io.create_dir(dir, name.as_ref()) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            made => made.at("create", &path)?,
        }
        let root = dir.open_dir(name).at("open", &path)?;
        let next = slots(&root)?.last().map_or(1, |slot| u64::from(slot.number) + 1);
        let writer = Self { io, root, run: run.map(str::to_owned), next, written: WrittenFiles::default() };
        writer.clean()?;
        Ok(writer)
    }

    /// Writes a checkpoint that replaces the older ones of its name, but for the `keep` newest of these, and says which
    /// files of the run stand `beside` it.
    ///
    /// Whatever fails, and whenever, the older ones stay valid until the new one is safely on the disk.
    pub(crate) fn commit(&mut self, commit: &Commit, beside: &[FileEntry]) -> Result<Checkpoint> {
        let Commit { name, keep, files, info } = commit;
        commit.check()?;
        self.clean()?;
        let number = self.next;
        let slot = format!("{number:04}-{name}");
        let temporary = format!("{TEMPORARY}{slot}");
        let there = slots(&self.root)?;
        let same: Vec<&Slot> = there.iter().filter(|slot| slot.name == *name).collect();
        let (older, later): (Vec<_>, Vec<_>) =
            same.into_iter().partition(|slot| u64::from(slot.number) < number);
        let replaced: Vec<_> = older.into_iter().rev().skip(*keep).collect();

        let entries = files.iter().map(|(name, blob)| blob.entry(name)).collect();
        let new = Manifest::new(self.run.as_deref(), name, entries, info.clone());
        let manifest = Manifest { beside: beside.to_vec(), ..new };
        let sha256 = self.write(&temporary, &manifest, files, &replaced)?;
        self.put(&temporary, &slot)?;
        self.next = number + 1;

        self.written.add(&slot, files);
        let left = later.into_iter().filter(|later| later.directory() != slot);
        replaced.into_iter().chain(left).for_each(|slot| self.remove(slot));
        // What changed places with it. A failure costs space only, and the next commit tries again.
        let _ = self.clean();
        Ok(Checkpoint { path: self.root.join(&slot), manifest, sha256 })
    }

    /// Gives a whole checkpoint its name. What has it already is of the run's future before it went back.
    fn put(&self, temporary: &str, slot: &str) -> Result<()> {
        let (from, to) = ((&self.root, OsStr::new(temporary)), (&self.root, OsStr::new(slot)));
        let failed = |error| Err(error).at("rename", &self.root.join(temporary));
        let at = |name: &OsStr| self.root.identity_of(name).at("read", self.root.path());
        let made = at(from.1)?;
        if at(to.1)?.is_none() {
            self.io.rename(from, to).or_else(failed)?;
        } else if let Err(cause) = self.io.exchange(&self.root, from.1, to.1) {
            if cause.kind() != ErrorKind::Unsupported && at(to.1)? == made {
                // It was done and reported as failed.
                return failed(cause);
            }
            // Where names cannot change places, there is an instant without either.
            self.io.remove(&self.root, to.1).and_then(|()| self.io.rename(from, to)).or_else(failed)?;
        }
        self.io.sync_dir(&self.root).at("write", self.root.path())
    }

    /// Goes back to the checkpoint in `path` (before all if there is none). The newer ones of that name are removed: the
    /// damaged, and those of a future that will be computed again. So are those that a process was about to remove when it
    /// ended: of that name all but the `keep` before it, of other names what a newer one has replaced.
    pub(crate) fn go_back_to(&mut self, name: &str, path: Option<&Path>, keep: usize) -> Result<()> {
        let last = path.and_then(|path| Slot::parse(path.file_name()?)).map_or(0, |slot| slot.number);
        let (own, others): (Vec<_>, Vec<_>) =
            slots(&self.root)?.into_iter().partition(|slot| slot.name == name);
        let (past, future): (Vec<_>, Vec<_>) = own.into_iter().partition(|slot| slot.number <= last);
        future.iter().chain(past.iter().rev().skip(keep + 1)).for_each(|slot| self.remove(slot));
        for slot in &others {
            let is_newer = |other: &&Slot| other.name == slot.name && other.number > slot.number;
            let replaced =
                |newer: &Slot| read_slot(&self.root, self.run.as_deref(), &newer.directory()).is_ok();
            if others.iter().filter(is_newer).any(replaced) {
                self.remove(slot);
            }
        }
        self.next = u64::from(last) + 1;
        Ok(())
    }

    /// Fills a new directory and returns the manifest's checksum.
    fn write(
        &self,
        name: &str,
        manifest: &Manifest,
        files: &[(String, Blob)],
        replaced: &[&Slot],
    ) -> Result<String> {
        let path = self.root.join(name);
        let unwritable = |problem| RecordError::Unwritable { path: path.join(MANIFEST), problem };
        let json = serde_json::to_vec_pretty(manifest).map_err(|error| unwritable(error.to_string()))?;
        if json.len() as u64 > MANIFEST_LIMIT {
            return Err(unwritable(format!("it would have more than {MANIFEST_LIMIT} bytes")));
        }
        let sha256 = hash::sha256(&json);
        self.io.create_dir(&self.root, name.as_ref()).at("create", &path)?;
        let dir = self.root.open_dir(name).at("open", &path)?;
        let replaced: Vec<(String, Dir)> = replaced.iter().filter_map(|slot| self.opened(slot)).collect();
        for file in files {
            let holds = |(slot, old): &&(String, Dir)| self.written.holds(slot, old, file);
            let source = replaced.iter().find(holds).map(|(_, old)| old);
            file.1.place(&*self.io, source, &dir, &file.0)?;
        }
        write_file(&*self.io, &dir, MANIFEST, &json)?;
        write_file(&*self.io, &dir, CHECKSUM, checksum_line(&sha256).as_bytes())?;
        self.io.sync_dir(&dir).at("write", &path)?;
        Ok(sha256)
    }

    fn opened(&self, slot: &Slot) -> Option<(String, Dir)> {
        Some((slot.directory(), self.root.open_dir(slot.directory()).ok()?))
    }

    /// Removes a replaced checkpoint. It is renamed first, so that nobody reads a half-removed one; where
    /// that fails (in a layer below, for instance), its manifest goes first.
    ///
    /// A failure costs space only, and the next commit of the name tries again.
    fn remove(&mut self, slot: &Slot) {
        let directory = slot.directory();
        self.written.remove(&directory);
        let hidden = format!("{TEMPORARY}{directory}");
        let renamed = self.io.rename((&self.root, directory.as_ref()), (&self.root, hidden.as_ref()));
        let _ = match renamed {
            Ok(()) => self.io.remove(&self.root, hidden.as_ref()),
            Err(_) => {
                let old = self.root.open_dir(&directory);
                old.and_then(|old| self.io.remove(&old, OsStr::new(MANIFEST)))
                    .and_then(|()| self.io.remove(&self.root, directory.as_ref()))
            }
        };
    }

    fn clean(&self) -> Result<()> {
        for name in self.root.names().at("read", self.root.path())? {
            if name.as_encoded_bytes().starts_with(TEMPORARY.as_bytes()) {
                self.io.remove(&self.root, &name).at("remove", &self.root.join(&name))?;
            }
        }
        Ok(())
    }
}

impl Commit {
    /// No file may stand in for another, nor for the manifest.
    pub(crate) fn check(&self) -> Result<()> {
        check_name(&self.name)?;
        let mut taken = vec![MANIFEST, CHECKSUM];
        for (name, _) in &self.files {
            check_name(name)?;
            if taken.contains(&&**name) {
                return Err(RecordError::BadName(name.clone()));
            }
            taken.push(name);
        }
        Ok(())
    }
}
