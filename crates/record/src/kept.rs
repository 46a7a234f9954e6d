//! States of a baseline that its treated runs begin from: copies of checkpoints that stay in the directory of their pair until
//! no run needs them any more.
//!
//! ```text
//! runs/animals-hflip-1/pair-0/epoch-6/   a checkpoint of pair-0/baseline
//! ```

use crate::error::{At, Result};
use crate::io::{Disk, Io, remove_temporaries, temporary_name, write_file};
use crate::manifest::{CHECKSUM, Checkpoint, MANIFEST, read_checkpoint_in, read_file};
use crate::trial::{TrialDir, pair};
use std::path::PathBuf;
use wellfit_base::Dir;

/// What the names of kept checkpoints begin with; the number of epochs follows.
const KEPT: &str = "epoch-";
/// No manifest or checksum is longer.
const MOST_BYTES: u64 = 1 << 20;

impl TrialDir {
    /// Keeps a copy of a checkpoint with the pair of that seed, whatever its run does with it; not again if it is there.
    ///
    /// # Errors
    /// If the checkpoint is gone or damaged, or the copy cannot be written.
    pub fn keep(&self, seed: u64, checkpoint: &Checkpoint) -> Result<()> {
        let dir = self.pair_dir(seed)?;
        let name = format!("{KEPT}{}", checkpoint.manifest.info.epoch);
        if dir.open_dir(&name).is_ok() {
            return Ok(());
        }
        let from = Dir::open(&checkpoint.path).at("open", &checkpoint.path)?;
        let loaded = read_checkpoint_in(&from)?;
        let temporary = temporary_name(&dir)?;
        Disk.create_dir(&dir, temporary.as_ref()).at("create", &dir.join(&temporary))?;
        let to = dir.open_dir(&temporary).at("open", &dir.join(&temporary))?;
        // Without it an export beside it takes the directory for abandoned (see `wellfit_base::folder`).
        let _ = to.try_lock();
        for (name, bytes) in &loaded.files {
            write_file(&Disk, &to, name, bytes)?;
        }
        for name in [MANIFEST, CHECKSUM] {
            write_file(&Disk, &to, name, &read_file(&from, name, MOST_BYTES)?)?;
        }
        Disk.sync_dir(&to).at("write", to.path())?;
        Disk.rename((&dir, temporary.as_ref()), (&dir, name.as_ref())).at("rename", to.path())?;
        Disk.sync_dir(&dir).at("write", dir.path())
    }

    /// The kept checkpoints of a pair: the epochs that are done in each, and its directory.
    #[must_use]
    pub fn kept(&self, seed: u64) -> Vec<(u32, PathBuf)> {
        let Ok(dir) = self.pair_dir(seed) else { return Vec::new() };
        let names = dir.names().unwrap_or_default().into_iter();
        let epoch = |name: &str| name.strip_prefix(KEPT)?.parse().ok();
        names.filter_map(|name| Some((epoch(name.to_str()?)?, dir.join(&name)))).collect()
    }

    /// Removes the kept checkpoints of a pair. What cannot be removed costs space only.
    pub fn forget(&self, seed: u64) {
        let Ok(dir) = self.pair_dir(seed) else { return };
        for (epoch, _) in self.kept(seed) {
            let _ = Disk.remove(&dir, format!("{KEPT}{epoch}").as_ref());
        }
        remove_temporaries(&Disk, &dir);
    }

    fn pair_dir(&self, seed: u64) -> Result<Dir> {
        let (dir, name) = (self.dir()?, pair(seed));
        dir.open_dir(&name).at("open", &dir.join(&name))
    }
}
