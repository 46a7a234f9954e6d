//! A folder of images, one sub-folder a class, in torchvision's order.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use wellfit_images::decode_file;

use super::checked::{Checked, Mark};
use crate::error::DataError;

/// What counts as an image, by the end of its name in any case: torchvision's `IMG_EXTENSIONS`.
pub const EXTENSIONS: [&str; 9] = ["jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp"];

/// The most folders a class may have: beyond it, links lead to the same folders again and again.
const MOST_FOLDERS: usize = 10_000;

/// The images below one folder and their classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageFolder {
    /// The names of the sub-folders, sorted; a label is a position in this list.
    pub classes: Vec<String>,
    /// Every image with its label, in the order of torchvision's `ImageFolder`.
    pub files: Vec<(PathBuf, u32)>,
}

/// Find the classes and images below `dir`. No image is opened.
///
/// Classes and files come in the order of torchvision: folders sorted by their whole path, then files by
/// name, both byte by byte; images in nested folders count; links are followed. Two deliberate differences:
/// folders whose name starts with a dot (`.git`, `.ipynb_checkpoints`) are neither classes nor searched, and
/// what cannot be looked at, such as a link to a folder that is gone, is an error and not left out.
///
/// # Errors
/// Names the folder that cannot be read, has no or only one class, leads back into itself by a link, has more
/// than 10,000 folders below it, or is a class without images; and the link that leads nowhere.
pub fn scan(dir: &Path) -> Result<ImageFolder, DataError> {
    if dir.is_file() {
        return Err(DataError::NotAFolder(dir.to_path_buf()));
    }
    let Listing { folders, files } = list(dir)?;
    let classes: Vec<String> = folders.iter().map(|path| name_of(path)).collect();
    match classes.as_slice() {
        [] => return Err(DataError::NoClasses { path: dir.to_path_buf(), images: images(&files).count() }),
        [class] => return Err(DataError::OneClass { path: dir.to_path_buf(), class: class.clone() }),
        _ => {}
    }
    let mut found = Vec::new();
    for (label, folder) in (0_u32..).zip(folders) {
        let mut listings = Vec::new();
        walk(folder.clone(), &mut Vec::new(), &mut listings)?;
        // Whole paths are compared, not part by part: `a-b/` comes before `a/b/`, as in Python's sorted().
        listings.sort_by(|(a, _), (b, _)| bytes(a).cmp(bytes(b)));
        let before = found.len();
        found.extend(listings.iter().flat_map(|(_, files)| images(files)).map(|file| (file.clone(), label)));
        if found.len() == before {
            return Err(DataError::EmptyClass(folder));
        }
    }
    Ok(ImageFolder { classes, files: found })
}

/// Collect the files of `folder` and every folder below it.
fn walk(
    folder: PathBuf,
    above: &mut Vec<PathBuf>,
    found: &mut Vec<(PathBuf, Vec<PathBuf>)>,
) -> Result<(), DataError> {
    let real = folder.canonicalize().map_err(DataError::io(&folder))?;
    if above.contains(&real) {
        return Err(DataError::LinkLoop { link: folder, target: real });
    }
    let Listing { folders, files } = list(&folder)?;
    found.push((folder, files));
    if found.len() > MOST_FOLDERS {
        return Err(DataError::TooManyFolders(above.first().cloned().unwrap_or(real)));
    }
    above.push(real);
    for folder in folders {
        walk(folder, above, found)?;
    }
    above.pop();
    Ok(())
}

/// The visible folders and the files directly inside a folder, each sorted by name.
struct Listing {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

fn list(dir: &Path) -> Result<Listing, DataError> {
    let mut listing = Listing { folders: Vec::new(), files: Vec::new() };
    for entry in fs::read_dir(dir).map_err(DataError::io(dir))? {
        let path = entry.map_err(DataError::io(dir))?.path();
        let hidden = bytes(path.file_name().unwrap_or_default()).starts_with(b".");
        match fs::metadata(&path) {
            Ok(metadata) if !metadata.is_dir() => listing.files.push(path),
            _ if hidden => {}
            Ok(_) => listing.folders.push(path),
            // An image that cannot be read is reported with the other bad files.
            Err(_) if is_image(&path) => listing.files.push(path),
            Err(cause) => return Err(DataError::io(&path)(cause)),
        }
    }
    for paths in [&mut listing.folders, &mut listing.files] {
        paths.sort_by(|a, b| bytes(a).cmp(bytes(b)));
    }
    Ok(listing)
}

/// Only the files whose name ends like an image's.
fn images(files: &[PathBuf]) -> impl Iterator<Item = &PathBuf> {
    files.iter().filter(|path| is_image(path))
}

fn is_image(path: &Path) -> bool {
    let name = name_of(path).to_lowercase();
    name.rsplit_once('.').is_some_and(|(_, extension)| EXTENSIONS.contains(&extension))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn bytes(name: &(impl AsRef<OsStr> + ?Sized)) -> &[u8] {
    name.as_ref().as_encoded_bytes()
}

/// A file that cannot be used as an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspicious {
    /// The file.
    pub path: PathBuf,
    /// Why, as a sentence.
    pub reason: String,
}

/// Files that are checked between two reports of progress.
const AT_A_TIME: usize = 64;

/// Decode every file that is not known to be whole, on all cores, and return those that fail, in the order of `files`.
/// `progress` is told how many are done.
///
/// Finds empty and truncated files, files that are no image at all, formats and variants that are not
/// supported, and pictures of more than 50 megapixels.
#[must_use]
pub fn check_files(
    files: &[(PathBuf, u32)],
    checked: &Checked,
    progress: &mut dyn FnMut(usize),
) -> Vec<Suspicious> {
    let problem = |(path, _): &(PathBuf, u32)| {
        let whole = |path: &Path| decode_file(path).map(|_| Mark::default());
        let reason = checked.look(path, whole).err()?.reason();
        Some(Suspicious { path: path.clone(), reason })
    };
    let mut bad = Vec::new();
    for files in files.chunks(AT_A_TIME) {
        bad.extend(files.par_iter().filter_map(problem).collect::<Vec<_>>());
        progress(files.len());
    }
    bad
}
