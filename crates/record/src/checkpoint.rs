//! Checkpoints as atomic commits.
//!
//! A checkpoint is a directory `checkpoints/NNNN-name`. NNNN counts the run's commits, so a directory is
//! never overwritten and one rename is the whole commit; there is no moment without a valid checkpoint and
//! no pointer that could disagree with what it points to. The newest of a name is the one with the highest
//! number. Names starting with a dot are leftovers of a crash, or directories that are being written or removed.

use crate::blob::{Blob, WrittenFiles};
use crate::error::{At, RecordError, Result};
use crate::io::{Io, write_file};
use crate::manifest::{
    CHECKSUM, Checkpoint, CheckpointInfo, MANIFEST, MANIFEST_LIMIT, Manifest, check_name, checksum_line,
};
use crate::slots::{Slot, slots};
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
        let writer = Self { io, root, run: run.map(str::to_owned), written: WrittenFiles::default() };
        writer.clean()?;
        Ok(writer)
    }

    /// Writes a checkpoint that replaces the older ones of its name, but for the `keep` newest of these.
    ///
    /// Whatever fails, and whenever, the older ones stay valid until the new one is safely on the disk.
    pub(crate) fn commit(&mut self, commit: &Commit) -> Result<Checkpoint> {
        let Commit { name, keep, files, info } = commit;
        commit.check()?;
        self.clean()?;
        let older = slots(&self.root)?;
        let number = older.last().map_or(1, |slot| u64::from(slot.number) + 1);
        let slot = format!("{number:04}-{name}");
        let temporary = format!("{TEMPORARY}{slot}");
        let replaced: Vec<_> = older.iter().rev().filter(|slot| slot.name == *name).skip(*keep).collect();

        let entries = files.iter().map(|(name, blob)| blob.entry(name)).collect();
        let manifest = Manifest::new(self.run.as_deref(), name, entries, info.clone());
        let sha256 = self.write(&temporary, &manifest, files, &replaced)?;
        let (from, to) = ((&self.root, temporary.as_ref()), (&self.root, slot.as_ref()));
        self.io.rename(from, to).at("rename", &self.root.join(&temporary))?;
        self.io.sync_dir(&self.root).at("write", self.root.path())?;

        self.written.add(&slot, files);
        replaced.into_iter().for_each(|slot| self.remove(slot));
        Ok(Checkpoint { path: self.root.join(&slot), manifest, sha256 })
    }

    /// Removes the checkpoints of that name that are newer than the one in `path` (all if there is none): the
    /// damaged, and those of a future that will be computed again.
    pub(crate) fn remove_newer(&mut self, name: &str, path: Option<&Path>) -> Result<()> {
        let last = path.and_then(|path| Slot::parse(path.file_name()?)).map_or(0, |slot| slot.number);
        let newer = |slot: &&Slot| slot.name == name && slot.number > last;
        slots(&self.root)?.iter().filter(newer).for_each(|slot| self.remove(slot));
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

    /// Removes a replaced checkpoint. It is renamed first, so that nobody reads a half-removed one; where the file
    /// system cannot rename it (a layer below), its manifest goes first.
    ///
    /// A failure costs space only, and the next commit of the name tries again.
    fn remove(&mut self, slot: &Slot) {
        let directory = slot.directory();
        self.written.remove(&directory);
        let hidden = format!("{TEMPORARY}{directory}");
        let renamed = self.io.rename((&self.root, directory.as_ref()), (&self.root, hidden.as_ref()));
        let _ = match renamed {
            Ok(()) => self.io.remove(&self.root, hidden.as_ref()),
            Err(error) if error.kind() == ErrorKind::CrossesDevices => {
                let old = self.root.open_dir(&directory);
                old.and_then(|old| self.io.remove(&old, OsStr::new(MANIFEST)))
                    .and_then(|()| self.io.remove(&self.root, directory.as_ref()))
            }
            Err(error) => Err(error),
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
