//! Which images are to be classified: files, folders, patterns, other forms of data, and names on standard input.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io::{self, BufRead, StdinLock};
use std::path::{Path, PathBuf};
use wellfit::base::Place;
use wellfit::data::{Columns, Entry, ImageRef};

use super::collection;

/// Stands for a list on standard input.
const LIST: &str = "-";
/// The most bytes of a name in a list.
const MOST_NAME: usize = 1 << 16;
/// More empty lines than anyone leaves between names.
const MOST_EMPTY: u32 = 1 << 20;

/// An image to classify, or a name that leads to none and why.
pub type Input = Result<ImageRef, (PathBuf, String)>;

/// All files, in the order in which they were named.
pub struct Inputs {
    found: VecDeque<Input>,
    list: Option<List<StdinLock<'static>>>,
    /// What the columns of tables mean.
    columns: Columns,
}

impl Inputs {
    /// Of the words of the command line. Folders and patterns are looked into at once, a list on standard input (`-`)
    /// while it comes, after everything else.
    pub fn new(words: &[PathBuf], columns: Columns) -> Self {
        let mut found = VecDeque::new();
        let listed = words.iter().any(|word| word == Path::new(LIST));
        let words = words.iter().filter(|word| *word != Path::new(LIST));
        words.for_each(|word| expand(word, true, &columns, &mut found));
        Self { found, list: listed.then(|| List::new(io::stdin().lock())), columns }
    }

    /// How many there are, if that is known.
    pub fn total(&self) -> Option<usize> {
        self.list.is_none().then_some(self.found.len())
    }

    /// The next files, at most so many.
    pub fn batch(&mut self, most: usize) -> Vec<Input> {
        self.take(most).collect()
    }
}

impl Iterator for Inputs {
    type Item = Input;

    fn next(&mut self) -> Option<Input> {
        while self.found.is_empty() {
            match self.list.as_mut()?.next()? {
                Ok(name) => expand(&name, false, &self.columns, &mut self.found),
                Err(cause) => {
                    self.list = None;
                    return Some(Err((LIST.into(), format!("the list cannot be read: {cause}"))));
                }
            }
        }
        self.found.pop_front()
    }
}

/// The files that a name means. Names of a list are taken as they are; in typed ones `*`, `?` and `[…]` may stand.
fn expand(name: &Path, typed: bool, columns: &Columns, found: &mut VecDeque<Input>) {
    let pattern = name.to_str().filter(|text| typed && text.contains(['*', '?', '[']) && !name.exists());
    match pattern {
        Some(pattern) => matches(name, pattern, columns, found),
        None if name.is_dir() => {
            let before = found.len();
            images_in(name, found);
            if found.len() > before {
                return;
            }
            if collection::is(name) {
                return collection::collect(name, columns, found);
            }
            found.push_back(Err((name.to_owned(), "the folder holds no images".to_owned())));
        }
        None => one(name.to_owned(), columns, found),
    }
}

/// An image, or the images inside a file that holds many. What cannot be opened says so when it is read.
fn one(name: PathBuf, columns: &Columns, found: &mut VecDeque<Input>) {
    if collection::is(&name) {
        collection::collect(&name, columns, found);
    } else {
        found.push_back(Ok(name.into()));
    }
}

fn matches(name: &Path, pattern: &str, columns: &Columns, found: &mut VecDeque<Input>) {
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let paths = match glob::glob_with(pattern, options) {
        Ok(paths) => paths,
        Err(error) => {
            return found.push_back(Err((name.to_owned(), format!("it is no pattern: {}", error.msg))));
        }
    };
    let before = found.len();
    // A link to a folder above it leads a pattern with `**` to the same files again and again.
    let mut seen = BTreeSet::new();
    for path in paths {
        match path {
            Ok(path) if !seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) => {}
            Ok(path) if path.is_dir() => images_in(&path, found),
            Ok(path) => one(path, columns, found),
            Err(error) => found.push_back(Err((error.path().to_owned(), error.error().to_string()))),
        }
    }
    if found.len() == before {
        found.push_back(Err((name.to_owned(), "nothing matches the pattern".to_owned())));
    }
}

/// The images in a folder and below it, by name. The folders above it are not searched, should links lead there.
fn images_in(dir: &Path, found: &mut VecDeque<Input>) {
    let real = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let mut seen = real.ancestors().skip(1).filter_map(|above| Place::of(above).ok()).collect();
    folder(dir, &mut seen, found);
}

/// The same; `seen` holds the folders above and those on the way, to which links may lead back.
fn folder(dir: &Path, seen: &mut BTreeSet<Place>, found: &mut VecDeque<Input>) {
    let listed =
        Place::of(dir).and_then(|real| Ok((real, fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>()?)));
    let (real, entries) = match listed {
        Ok(listed) => listed,
        Err(cause) => return found.push_back(Err((dir.to_owned(), cause.to_string()))),
    };
    // A link that leads back.
    if !seen.insert(real.clone()) {
        return;
    }
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        match Entry::of(&path, path.is_dir()) {
            Entry::Folder => folder(&path, seen, found),
            // One of a format that is not read says so when its turn comes.
            Entry::Image | Entry::UnreadImage => found.push_back(Ok(path.into())),
            Entry::Other | Entry::Junk => {}
        }
    }
    seen.remove(&real);
}

/// Names with a line each, or with a NUL after each (`find -print0`).
struct List<R> {
    from: R,
    /// The byte after each name, once it is known.
    end: Option<u8>,
}

impl<R: BufRead> List<R> {
    fn new(from: R) -> Self {
        Self { from, end: None }
    }

    /// The next name, which is not empty.
    fn next(&mut self) -> Option<io::Result<PathBuf>> {
        for _ in 0..MOST_EMPTY {
            match self.read() {
                Ok(None) => return None,
                Ok(Some(name)) if name.is_empty() => {}
                Ok(Some(name)) => return Some(Ok(path(name))),
                Err(cause) => return Some(Err(cause)),
            }
        }
        Some(Err(io::Error::other(format!("{MOST_EMPTY} names in a row are empty: it is no list of names"))))
    }

    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let end = match self.end {
            Some(end) => end,
            // A name cannot hold NUL, but it may hold a line break.
            None => *self.end.insert(if self.from.fill_buf()?.contains(&0) { 0 } else { b'\n' }),
        };
        let mut name = Vec::new();
        let most = u64::try_from(MOST_NAME).unwrap_or(u64::MAX);
        if io::Read::take(&mut self.from, most).read_until(end, &mut name)? == 0 {
            return Ok(None);
        }
        let whole = name.pop_if(|last| *last == end).is_some();
        if !whole && name.len() == MOST_NAME {
            return Err(io::Error::other(format!("a name has more than {MOST_NAME} bytes")));
        }
        if end == b'\n' {
            name.pop_if(|last| *last == b'\r');
        }
        Ok(Some(name))
    }
}

#[cfg(unix)]
fn path(name: Vec<u8>) -> PathBuf {
    let name: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(name);
    name.into()
}

#[cfg(not(unix))]
fn path(name: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&name).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &[u8]) -> Vec<String> {
        let mut list = List::new(text);
        std::iter::from_fn(|| list.next()).map(|name| name.unwrap().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn lists_have_lines_or_nuls() {
        assert_eq!(names(b"a.png\nb c.png\r\n\nd.png"), ["a.png", "b c.png", "d.png"]);
        assert_eq!(names(b"a\nb.png\0c.png\0"), ["a\nb.png", "c.png"]);
        assert_eq!(names(b""), [""; 0]);
        assert!(List::new(io::BufReader::new(io::repeat(0))).next().unwrap().is_err(), "as of /dev/zero");
        let mut long = List::new(&[b'x'; MOST_NAME + 1][..]);
        assert!(long.next().unwrap().is_err());
    }

    #[test]
    fn folders_and_patterns_are_looked_into_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("b/deep")).unwrap();
        fs::create_dir_all(at("empty")).unwrap();
        fs::create_dir_all(at("__MACOSX")).unwrap();
        for name in
            ["a.PNG", "z.gif", "notes.txt", "._a.PNG", "b/deep/2.jpg", "b/1.jpg", "__MACOSX/x.png", "[1].png"]
        {
            fs::write(at(name), "").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(dir.path(), at("b/up")).unwrap();
        let short = |words: &[&str]| -> Vec<String> {
            let words: Vec<PathBuf> = words.iter().map(|word| at(word)).collect();
            let name = |path: &Path| path.strip_prefix(dir.path()).unwrap().display().to_string();
            let show = |input: Input| match input {
                Ok(image) => name(&image.name),
                Err((path, reason)) => format!("{}: {reason}", name(&path)),
            };
            Inputs::new(&words, Columns::default()).map(show).collect()
        };
        assert_eq!(short(&[""]), ["[1].png", "a.PNG", "b/1.jpg", "b/deep/2.jpg", "z.gif"]);
        assert_eq!(short(&["b/*.jpg", "z.gif"]), ["b/1.jpg", "z.gif"]);
        assert_eq!(short(&["**/*.jpg"]), ["b/1.jpg", "b/deep/2.jpg"]);
        assert_eq!(short(&["[1].png"]), ["[1].png"], "a file of that name is no pattern");
        assert_eq!(short(&["*.bmp"]), ["*.bmp: nothing matches the pattern"]);
        assert_eq!(short(&["empty", "none.png"]), ["empty: the folder holds no images", "none.png"]);
        assert_eq!(Inputs::new(&[at("b")], Columns::default()).total(), Some(2));
    }
}
