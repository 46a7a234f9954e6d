//! A folder and all below it, as it lies on the disk, in torchvision's order. What it means is for [`super::layout`].

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use super::class_name::python_order;
use super::entry::{Entry, extension};
use super::{class_name, junk};
use crate::error::DataError;
use wellfit_base::Place;
use wellfit_images::EXTENSIONS;

/// torchvision's `IMG_EXTENSIONS`.
const TORCHVISION: [&str; 9] = ["jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp"];

/// How often one folder may be reached by links: beyond it, they lead to the same folders again and again.
const MOST_VISITS: usize = 64;

/// Files of one kind that are not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// How many.
    pub count: usize,
    /// One of them.
    pub example: PathBuf,
}

/// Files that are not read, by the end of their names in lower case.
pub type UnreadFiles = BTreeMap<String, Unread>;

/// A folder and all below it.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// The folder.
    pub path: PathBuf,
    /// The images directly in it, sorted.
    pub images: Vec<PathBuf>,
    /// Other files directly in it.
    pub unread: UnreadFiles,
    /// The folders directly in it, sorted, without those of systems and tools.
    pub folders: Vec<Self>,
    /// Whether it is a run of Wellfit, whose pictures are no data. It is not searched.
    pub is_run: bool,
    /// Why it cannot be looked at.
    pub problem: Option<DataError>,
    /// How many images are in it and below it.
    pub total: usize,
}

impl Tree {
    /// Look at `dir` and all below it. No file is opened. Links are followed.
    ///
    /// # Errors
    /// If `dir` itself cannot be read. What cannot be read below it is kept as a [`problem`](Self::problem), since it
    /// may lie where nothing is needed.
    pub fn read(dir: &Path) -> Result<Self, DataError> {
        let mut tree = Walk::default().folder(dir.to_path_buf());
        match tree.problem.take() {
            Some(problem) => Err(problem),
            None => Ok(tree),
        }
    }

    /// The class that its name stands for.
    pub fn name(&self) -> String {
        class_name(self.path.file_name().unwrap_or_default())
    }

    /// Whether there are images in it or below it. What cannot be looked at might hold some.
    pub fn holds_images(&self) -> bool {
        self.total > 0 || self.has_problem()
    }

    fn has_problem(&self) -> bool {
        self.problem.is_some() || self.folders.iter().any(Self::has_problem)
    }

    /// Itself and every folder below it, each before those inside it.
    pub fn all(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut next = 0;
        while let Some(tree) = all.get(next).copied() {
            all.extend(&tree.folders);
            next += 1;
        }
        all
    }

    /// Add up the files that are not read, in it and below it.
    pub fn unread_below(&self) -> UnreadFiles {
        let mut sum = UnreadFiles::new();
        for tree in self.all() {
            merge(&mut sum, &tree.unread);
        }
        sum
    }
}

/// Whether files with this extension are read, but not by torchvision.
pub(crate) fn is_beyond_torchvision(extension: &str) -> bool {
    EXTENSIONS.contains(&extension) && !TORCHVISION.contains(&extension)
}

/// Add `more` to `sum`.
pub(crate) fn merge(sum: &mut UnreadFiles, more: &UnreadFiles) {
    for (extension, files) in more {
        sum.entry(extension.clone())
            .and_modify(|sum| sum.count += files.count)
            .or_insert_with(|| files.clone());
    }
}

/// Where a walk through folders and links is.
#[derive(Default)]
struct Walk {
    /// The folders that the current one lies in, whatever links led to them.
    above: HashSet<Place>,
    /// How often each folder was reached.
    visits: HashMap<Place, usize>,
}

impl Walk {
    fn folder(&mut self, path: PathBuf) -> Tree {
        let mut tree = Tree { path, ..Tree::default() };
        tree.problem = self.fill(&mut tree).err();
        tree.total = tree.images.len() + tree.folders.iter().map(|folder| folder.total).sum::<usize>();
        tree
    }

    fn fill(&mut self, tree: &mut Tree) -> Result<(), DataError> {
        let real = Place::of(&tree.path).map_err(DataError::io(&tree.path))?;
        if self.above.contains(&real) {
            let target = tree.path.canonicalize().map_err(DataError::io(&tree.path))?;
            return Err(DataError::LinkLoop { link: tree.path.clone(), target });
        }
        let visits = self.visits.entry(real.clone()).or_default();
        *visits += 1;
        if *visits > MOST_VISITS {
            return Err(DataError::TooManyLinks(tree.path.clone()));
        }
        let mut folders = Vec::new();
        for entry in fs::read_dir(&tree.path).map_err(DataError::io(&tree.path))? {
            let entry = entry.map_err(DataError::io(&tree.path))?;
            match kind(&entry) {
                Kind::Folder => folders.push(entry.path()),
                Kind::Image => tree.images.push(entry.path()),
                Kind::Other => note(&mut tree.unread, entry.path()),
                Kind::Junk => {}
                Kind::Lost(problem) => {
                    let problem = Some(problem);
                    tree.folders.push(Tree { path: entry.path(), problem, ..Tree::default() });
                }
            }
        }
        let has_record = |name| tree.path.join(name).is_file();
        tree.is_run = !self.above.is_empty() && (has_record("run.toml") || has_record("events.jsonl"));
        if tree.is_run {
            tree.images.clear();
            tree.unread.clear();
            tree.folders.clear();
            return Ok(());
        }
        self.above.insert(real.clone());
        tree.folders.extend(folders.into_iter().map(|folder| self.folder(folder)));
        self.above.remove(&real);
        tree.images.sort_by(|a, b| python_order(a.as_os_str(), b.as_os_str()));
        tree.folders.sort_by(|a, b| python_order(a.path.as_os_str(), b.path.as_os_str()));
        Ok(())
    }
}

fn note(unread: &mut UnreadFiles, path: PathBuf) {
    let files = unread.entry(extension(&path)).or_insert(Unread { count: 0, example: path });
    files.count += 1;
}

enum Kind {
    Folder,
    Image,
    Other,
    Junk,
    /// A link that leads nowhere, or something else that cannot be looked at.
    Lost(DataError),
}

fn kind(entry: &DirEntry) -> Kind {
    let (path, name) = (entry.path(), entry.file_name());
    // A link's own kind is of no interest, and only links cost a further look at the disk.
    let is_dir = match entry.file_type() {
        Ok(kind) if !kind.is_symlink() => Ok(kind.is_dir()),
        _ => fs::metadata(&path).map(|metadata| metadata.is_dir()),
    };
    match (Entry::of(&path, matches!(is_dir, Ok(true))), is_dir) {
        (Entry::Folder, _) => Kind::Folder,
        // An image that cannot be read is reported with the other bad files.
        (Entry::Image, _) => Kind::Image,
        (Entry::Junk, _) => Kind::Junk,
        (Entry::UnreadImage | Entry::Other, Ok(_)) => Kind::Other,
        (_, Err(_)) if junk::is_folder(&name) => Kind::Junk,
        (_, Err(cause)) => Kind::Lost(DataError::io(&path)(cause)),
    }
}
