//! A folder with small data, a finished run and what commands are tried on, and whether it stays as it is.

use crate::watched::{command, line_of, watch};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The folder, and beside it what a command may use freely.
pub struct Scene {
    folder: TempDir,
    aside: TempDir,
}

/// The devices that the scene has links to.
const DEVICES: [&str; 5] = ["null", "zero", "full", "tty", "urandom"];

/// What stands under a path: its kind and length, and of a small file what is in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry(u32, u64, Vec<u8>);

pub fn words(line: &str) -> Vec<OsString> {
    line.split_whitespace().map(OsString::from).collect()
}

impl Scene {
    fn empty() -> Self {
        let scene = Self { folder: TempDir::new().unwrap(), aside: TempDir::new().unwrap() };
        fs::create_dir(scene.path()).unwrap();
        scene
    }

    /// Another one with the same in it.
    pub fn copy_of(other: &Self) -> Self {
        let scene = Self::empty();
        copy(&other.path(), &scene.path());
        scene
    }

    /// Two classes of six pictures, and a run on them.
    pub fn new() -> Self {
        let scene = Self::empty();
        let root = scene.path();
        fs::create_dir(root.join("dev")).unwrap();
        for device in DEVICES {
            symlink(Path::new("/dev").join(device), root.join("dev").join(device)).unwrap();
        }
        for (class, level) in [("a", 40_u8), ("b", 200)] {
            fs::create_dir_all(root.join("data").join(class)).unwrap();
            for number in 0..6_u8 {
                let mut picture = b"P6 8 8 255\n".to_vec();
                picture.extend((0..192_u8).map(|byte| level ^ (byte % 16) ^ number));
                fs::write(root.join(format!("data/{class}/{number}.ppm")), picture).unwrap();
            }
        }
        fs::write(root.join("table.csv"), "epoch,loss,val_loss\n1,0.5,0.6\n2,0.4,0.5\n3,0.3,0.6\n").unwrap();
        fs::write(root.join("config.toml"), "batch_size = 4\n").unwrap();
        scene.does("train data --model mlp --image-size 8 --batch-size 4 --epochs 2 --out run");
        scene.does("export run --out exported --format pth");
        scene
    }

    /// A command that succeeds.
    pub fn does(&self, line: &str) {
        let outcome = self.run(&words(line));
        assert_eq!(outcome.status.code(), Some(0), "{outcome}");
    }

    /// In a folder of its own, for those who go one up.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("scene")
    }

    /// A folder for what is not looked at.
    pub fn aside(&self) -> &Path {
        self.aside.path()
    }

    pub fn run(&self, words: &[OsString]) -> crate::watched::Outcome {
        watch(command(&self.path(), self.aside(), words), words, self.aside())
    }

    /// Everything in the folder.
    pub fn entries(&self) -> BTreeMap<PathBuf, Entry> {
        let mut found = BTreeMap::new();
        list(&self.path(), &mut found);
        found
    }

    /// Nothing is new, changed or gone.
    pub fn is_as(&self, before: &BTreeMap<PathBuf, Entry>, words: &[OsString]) {
        let after = self.entries();
        let differ = |path: &&PathBuf| before.get(*path) != after.get(*path);
        let changed: Vec<_> = before.keys().chain(after.keys()).filter(differ).collect();
        assert!(changed.is_empty(), "{} changed {changed:?}", line_of(words));
    }
}

/// Copy files, folders and links.
pub fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, to) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path()).unwrap(), to).unwrap();
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

pub fn list(folder: &Path, found: &mut BTreeMap<PathBuf, Entry>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let about = fs::symlink_metadata(&path).unwrap();
        let small = about.is_file() && about.len() < 1 << 20;
        let content = if small { fs::read(&path).unwrap() } else { Vec::new() };
        let length = if about.is_file() { about.len() } else { 0 };
        if about.is_dir() {
            list(&path, found);
        }
        found.insert(path, Entry(about.mode(), length, content));
    }
}
