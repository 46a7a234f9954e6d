//! Several files that are one dataset: patterns with braces, and the parts that names of files tell.

use std::fs;
use std::path::{Path, PathBuf};

use super::class_name;
use super::class_name::python_order;
use super::entry::extension;
use super::split_name::{Part, recognise};

/// The most files that a pattern may mean.
const MOST: usize = 100_000;

/// The names that a pattern means, in order: `{0000..0012}` counts with leading zeros, `{a,b}` lists. None if it has no
/// braces, or means too many.
pub(crate) fn expand(pattern: &str) -> Option<Vec<String>> {
    let (before, rest) = pattern.split_once('{')?;
    let (inside, after) = rest.split_once('}')?;
    let middle: Vec<String> = match inside.split_once("..") {
        Some((first, last)) => {
            let (from, to): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            if to.checked_sub(from)? >= MOST as u64 {
                return None;
            }
            let width = if first.starts_with('0') { first.len() } else { 0 };
            (from..=to).map(|number| format!("{number:0width$}")).collect()
        }
        None => inside.split(',').map(str::to_owned).collect(),
    };
    let ends = if after.contains('{') { expand(after)? } else { vec![after.to_owned()] };
    if middle.len() * ends.len() > MOST {
        return None;
    }
    Some(
        middle
            .iter()
            .flat_map(|middle| ends.iter().map(move |end| format!("{before}{middle}{end}")))
            .collect(),
    )
}

/// The files with one of the `endings` that `path` means: itself, those of a pattern, or those in a folder, the folders
/// inside it, and those in its `data/`, sorted.
pub(crate) fn files(path: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let fits = |path: &PathBuf| endings.contains(&&*extension(path)) && path.file_name().is_some();
    if let Some(names) = path.to_str().filter(|_| !path.exists()).and_then(expand) {
        return names.into_iter().map(PathBuf::from).filter(fits).collect();
    }
    if path.is_file() {
        return vec![path.to_path_buf()].into_iter().filter(fits).collect();
    }
    let list = |dir: &Path| fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let inside =
        |dir: &Path| -> Vec<PathBuf> { list(dir).filter(|path| path.is_file() && fits(path)).collect() };
    let mut found = inside(path);
    for folder in list(path).filter(|path| path.is_dir()) {
        found.extend(inside(&folder));
    }
    found.retain(|path| !path.file_name().unwrap_or_default().as_encoded_bytes().starts_with(b"."));
    found.sort_by(|a, b| python_order(a.as_os_str(), b.as_os_str()));
    found
}

/// The part that a file's name or its folder tells: `train-00000-of-00003.parquet`, `val/0001.tar`.
pub(crate) fn part(file: &Path, root: &Path) -> Option<Part> {
    let of = |name: &std::ffi::OsStr| recognise(&class_name(name)).map(|name| name.part);
    let folder = file.parent().filter(|folder| *folder != root).and_then(Path::file_name);
    of(file.file_stem()?).or_else(|| of(folder?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_count_and_list() {
        assert_eq!(expand("s-{008..010}.tar").unwrap(), ["s-008.tar", "s-009.tar", "s-010.tar"]);
        assert_eq!(expand("s-{9..10}.tar").unwrap(), ["s-9.tar", "s-10.tar"]);
        assert_eq!(expand("{a,b}-{0..1}").unwrap(), ["a-0", "a-1", "b-0", "b-1"]);
        for none in ["plain.tar", "s-{1..x}", "s-{5..1}", "s-{0..99999999}", "{0..99999}{0..9}", "{"] {
            assert_eq!(expand(none), None, "{none}");
        }
    }

    #[test]
    fn names_tell_the_part() {
        let root = Path::new("/d/train");
        for (name, expected) in [
            ("/d/train/train-00000-of-00001.parquet", Some(Part::Train)),
            ("/d/x/validation-00000-of-00001.parquet", Some(Part::Val)),
            ("/d/x/test/00000.tar", Some(Part::Test)),
            ("/d/train/0000.tar", None),
            ("/d/x/shard-0000.tar", None),
        ] {
            assert_eq!(part(Path::new(name), root), expected, "{name}");
        }
    }
}
