//! Several files that belong together, such as weights and what says of which classes they are: one commit.

use crate::atomic::{RUN_LOCK, parent, replace, sync_directory};
use crate::dir::{Dir, Kind};
use crate::id::{is_temporary, temporary_name};
use std::ffi::OsStr;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Put these files, by name and content, into a folder, which is made if it is missing. At every moment the folder has
/// all the old ones or all the new ones: a new folder, in which the others have second names, changes places with it.
///
/// Where that cannot be done (the folder is the current one or has folders in it, the file system lacks the operations),
/// the first file goes before the others are replaced one by one, and comes last: it describes the others, and never
/// lies beside those of another time.
///
/// # Errors
/// If a file cannot be written. What was there before is then untouched, or lacks the first file.
pub fn commit(folder: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    let fresh = !folder.exists();
    if let Some(above) = folder.parent().filter(|above| fresh && !above.as_os_str().is_empty()) {
        fs::create_dir_all(above)?;
    }
    if let Some(done) = as_a_whole(folder, fresh, files)? {
        return Ok(done);
    }
    fs::create_dir_all(folder)?;
    in_turn(folder, files)
}

/// `None` if it cannot be done that way.
fn as_a_whole(folder: &Path, fresh: bool, files: &[(&str, &[u8])]) -> io::Result<Option<()>> {
    let real = if fresh { folder.to_owned() } else { fs::canonicalize(folder)? };
    let Some(own) = real.file_name() else { return Ok(None) };
    let above = Dir::open(parent(&real))?;
    if !fresh && is_current(folder)? {
        return Ok(None);
    }
    remove_abandoned(&above);
    let name = temporary_name()?;
    if above.create_dir(&name).is_err() {
        return Ok(None);
    }
    let new = above.open_dir(&name)?;
    // Without it another process takes the folder for abandoned; where folders have no locks, none does.
    let _ = new.try_lock();
    let done = fill(&new, (!fresh).then_some(folder), files).and_then(|filled| match filled {
        None => Ok(None),
        Some(()) if fresh => above.rename(&name, (&above, own)).map(Some),
        // A file system without such an exchange is no failure: there is another way.
        Some(()) => Ok(above.exchange(&name, own).ok()),
    });
    // By now the old folder, or what came to nothing. What cannot be removed costs space only, and the next one tries.
    let _ = above.remove(&name);
    if done.as_ref().is_ok_and(Option::is_some) {
        above.sync()?;
    }
    done
}

/// Remove what processes that ended early left beside such a folder: no living one has its lock. Runs that are being
/// built there have a file for that and are left to their owners.
fn remove_abandoned(above: &Dir) {
    for name in above.names().unwrap_or_default().iter().filter(|name| is_temporary(name)) {
        let Ok(dir) = above.open_dir(name) else { continue };
        let is_run = || dir.kind(RUN_LOCK).map_or(true, |found| found.is_some());
        if !is_run() && matches!(dir.try_lock(), Ok(true)) {
            let inside = dir.names().unwrap_or_default();
            if !is_run() && inside.iter().all(|name| dir.remove(name).is_ok()) {
                let _ = above.remove_empty_dir(name);
            }
        }
    }
}

fn is_current(folder: &Path) -> io::Result<bool> {
    Ok(Dir::open(Path::new("."))?.identity()? == Dir::open(folder)?.identity()?)
}

/// Fill a new folder with the files and with those of `old` that stay; `None` if one of them cannot be in two folders.
fn fill(new: &Dir, old: Option<&Path>, files: &[(&str, &[u8])]) -> io::Result<Option<()>> {
    if let Some(old) = old {
        fs::set_permissions(new.path(), fs::metadata(old)?.permissions())?;
        let old = Dir::open(old)?;
        let own = |name: &OsStr| files.iter().any(|(file, _)| OsStr::new(file) == name);
        for name in &old.names()? {
            // Only files are replaced: a folder under such a name is the user's.
            let stays = !own(name);
            if old.kind(name)? != Some(Kind::File) || (stays && old.link(name, (new, name)).is_err()) {
                return Ok(None);
            }
        }
    }
    for (name, bytes) in files {
        let mut file = new.create_file(name)?;
        file.write_all(bytes)?;
        file.sync_all()?;
    }
    new.sync()?;
    Ok(Some(()))
}

fn in_turn(folder: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    let Some(((first, about), others)) = files.split_first() else { return Ok(()) };
    let first = folder.join(first);
    if !others.is_empty() {
        match fs::remove_file(&first) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            removed => removed?,
        }
        sync_directory(folder)?;
    }
    others.iter().try_for_each(|(name, bytes)| replace(&folder.join(name), bytes))?;
    replace(&first, about)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let mut found: Vec<_> = entries
            .filter(|entry| entry.path().is_file())
            .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
            .collect();
        found.sort();
        found
    }

    #[test]
    fn the_files_come_together_and_the_others_stay() {
        let root = tempfile::tempdir().unwrap();
        for (name, inner) in [("plain", false), ("with-a-folder", true)] {
            let folder = root.path().join(name).join("export");
            commit(&folder, &[("config.json", b"one"), ("model.pth", b"1")]).unwrap();
            fs::write(folder.join("notes.txt"), "mine").unwrap();
            if inner {
                fs::create_dir(folder.join("inside")).unwrap();
            }
            commit(&folder, &[("config.json", b"two"), ("model.pth", b"2")]).unwrap();
            let expected = [("config.json", "two"), ("model.pth", "2"), ("notes.txt", "mine")];
            assert_eq!(content(&folder), expected.map(|(name, text)| (name.into(), text.into())));
            assert_eq!(fs::read_dir(root.path().join(name)).unwrap().count(), 1, "nothing else is left");
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_a_process_left_that_was_killed_goes_and_what_a_living_one_builds_stays() {
        let root = tempfile::tempdir().unwrap();
        let above = Dir::open(root.path()).unwrap();
        let made = || {
            let name = temporary_name().unwrap();
            above.create_dir(&name).unwrap();
            fs::write(root.path().join(&name).join("model.pth"), "half").unwrap();
            name
        };
        let (abandoned, living, run) = (made(), made(), made());
        let held = above.open_dir(&living).unwrap();
        assert!(held.try_lock().unwrap());
        fs::write(root.path().join(&run).join(RUN_LOCK), "").unwrap();
        commit(&root.path().join("export"), &[("config.json", b"one")]).unwrap();
        let left = |name: &String| root.path().join(name).join("model.pth").exists();
        assert_eq!([abandoned, living, run].each_ref().map(left), [false, true, true]);
    }

    /// A folder in the way of a file: the second file cannot be written, so the first must not be the new one.
    #[test]
    fn a_failure_leaves_no_description_of_other_files() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("export");
        commit(&folder, &[("config.json", b"one")]).unwrap();
        fs::create_dir_all(folder.join("model.pth/inside")).unwrap();
        commit(&folder, &[("config.json", b"two"), ("model.pth", b"2")]).unwrap_err();
        assert!(content(&folder).is_empty(), "{:?}", content(&folder));
    }
}
