//! A directory that was opened once: whatever happens to its path, names are looked up in it alone.

use super::kind::{How, Identity, Kind};
use super::system::{self, Handle};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

/// An opened directory. A name in it is one plain name and never a path, and a link under such a name is refused, not
/// followed: what is read and written is in this very directory, also if its path means another one by now.
#[derive(Debug)]
pub struct Dir {
    handle: Handle,
    path: PathBuf,
}

impl Dir {
    /// The directory at `path`, in which links are followed: it is the user's.
    ///
    /// # Errors
    /// If there is no such directory, or it cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { handle: system::open_path(path)?, path: path.to_owned() })
    }

    /// The directory of that name in this one.
    ///
    /// # Errors
    /// If it is missing, a link, or no directory.
    pub fn open_dir(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let name = plain(name.as_ref())?;
        match system::open_dir(&self.handle, name) {
            Ok(handle) => Ok(Self { handle, path: self.path.join(name) }),
            Err(error) => Err(self.told(name, Kind::Directory, error)),
        }
    }

    /// Where it was when it was opened, for messages.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a name in it, for messages.
    #[must_use]
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path.join(name)
    }

    /// Which directory it is.
    ///
    /// # Errors
    /// As the system says.
    pub fn identity(&self) -> io::Result<Identity> {
        system::identity(&self.handle)
    }

    /// Whether its path still leads to it.
    ///
    /// # Errors
    /// If the path leads nowhere, or cannot be followed.
    pub fn is_in_place(&self) -> io::Result<bool> {
        Ok(system::identity(&system::open_path(&self.path)?)? == self.identity()?)
    }

    /// What stands under a name; `None` if nothing does.
    ///
    /// # Errors
    /// If the directory cannot be searched.
    pub fn kind(&self, name: impl AsRef<OsStr>) -> io::Result<Option<Kind>> {
        self.look(name.as_ref()).map(|found| found.map(|(kind, ..)| kind))
    }

    /// Which file or directory stands under a name; `None` if nothing does.
    ///
    /// # Errors
    /// As [`kind`](Self::kind).
    pub fn identity_of(&self, name: impl AsRef<OsStr>) -> io::Result<Option<Identity>> {
        self.look(name.as_ref()).map(|found| found.map(|(_, identity, _)| identity))
    }

    /// The length of the regular file of that name, in bytes; `None` if there is none.
    ///
    /// # Errors
    /// As [`kind`](Self::kind).
    pub fn length(&self, name: impl AsRef<OsStr>) -> io::Result<Option<u64>> {
        let found = self.look(name.as_ref())?;
        Ok(found.filter(|(kind, ..)| *kind == Kind::File).map(|(.., length)| length))
    }

    /// Whether a regular file stands under a name.
    ///
    /// # Errors
    /// If that cannot be told.
    pub fn is_file(&self, name: impl AsRef<OsStr>) -> io::Result<bool> {
        Ok(self.kind(name)? == Some(Kind::File))
    }

    fn look(&self, name: &OsStr) -> io::Result<Option<(Kind, Identity, u64)>> {
        match system::look(&self.handle, plain(name)?) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }

    /// The names in it, in no order.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn names(&self) -> io::Result<Vec<OsString>> {
        system::names(&self.handle)
    }

    /// The regular file of that name, to read it.
    ///
    /// # Errors
    /// If it is missing, a link, or anything else than a file.
    pub fn open_file(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        self.file(name.as_ref(), How::Read)
    }

    /// The content of the regular file of that name, of at most `most` bytes.
    ///
    /// # Errors
    /// As [`open_file`](Self::open_file), and if it is longer: [`io::ErrorKind::FileTooLarge`].
    pub fn read(&self, name: impl AsRef<OsStr>, most: u64) -> io::Result<Vec<u8>> {
        crate::file::read_open(self.open_file(name)?, most)
    }

    /// A file for appending, made if it is missing. It has no other name: what is appended is not seen elsewhere.
    ///
    /// # Errors
    /// If it is a link, anything else than a file, has another name, or cannot be written.
    pub fn append_file(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        let file = self.file(name.as_ref(), How::Append)?;
        if system::names_of(&file)?.1 > 1 {
            return Err(io::Error::other(
                "the file has a second name (a hard link), and writing here would change it there too; put a copy in \
                 its place",
            ));
        }
        Ok(file)
    }

    /// A new file for writing.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if anything has that name, a link included; if it cannot be made.
    pub fn create_file(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        self.file(name.as_ref(), How::New)
    }

    fn file(&self, name: &OsStr, how: How) -> io::Result<File> {
        let name = plain(name)?;
        let file = system::open(&self.handle, name, how);
        let file = file.map_err(|error| self.told(name, Kind::File, error))?;
        if file.metadata()?.is_file() { Ok(file) } else { Err(not_a(Kind::File)) }
    }

    /// Which file an open one is.
    ///
    /// # Errors
    /// As the system says.
    pub fn identity_of_file(file: &File) -> io::Result<Identity> {
        system::names_of(file).map(|(identity, _)| identity)
    }

    /// Make a directory.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if anything has that name; if it cannot be made.
    pub fn create_dir(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        system::create_dir(&self.handle, plain(name.as_ref())?, false)
    }

    /// Make a directory that nobody else may look into.
    ///
    /// # Errors
    /// As [`create_dir`](Self::create_dir).
    pub fn create_private_dir(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        system::create_dir(&self.handle, plain(name.as_ref())?, true)
    }

    /// Give `from` the name `to` in another directory, or in this one; a file that has it goes.
    ///
    /// # Errors
    /// As the system says.
    pub fn rename(&self, from: impl AsRef<OsStr>, to: (&Self, &OsStr)) -> io::Result<()> {
        system::rename((&self.handle, plain(from.as_ref())?), (&to.0.handle, plain(to.1)?))
    }

    /// Let two names in it change places, in one step.
    ///
    /// # Errors
    /// If one of them is missing; if the file system or the system has no such operation.
    pub fn exchange(&self, one: impl AsRef<OsStr>, other: impl AsRef<OsStr>) -> io::Result<()> {
        system::exchange(&self.handle, plain(one.as_ref())?, plain(other.as_ref())?)
    }

    /// Give the file `from` a second name `to` in another directory.
    ///
    /// # Errors
    /// If the name is taken; if the file system has no such names.
    pub fn link(&self, from: impl AsRef<OsStr>, to: (&Self, &OsStr)) -> io::Result<()> {
        system::link((&self.handle, plain(from.as_ref())?), (&to.0.handle, plain(to.1)?))
    }

    /// Remove a directory that is empty.
    ///
    /// # Errors
    /// If it is not, or is none.
    pub fn remove_empty_dir(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        system::remove_empty_dir(&self.handle, plain(name.as_ref())?)
    }

    /// Remove whatever has that name: a directory with all it holds, of a link the link alone.
    ///
    /// # Errors
    /// If something cannot be removed, or nothing has that name.
    pub fn remove(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        let name = plain(name.as_ref())?;
        let (kind, ..) = system::look(&self.handle, name)?;
        if kind != Kind::Directory {
            return system::remove_file(&self.handle, name);
        }
        let inside = self.open_dir(name)?;
        inside.names()?.iter().try_for_each(|name| inside.remove(name))?;
        self.remove_empty_dir(name)
    }

    /// Take the directory's lock, which ends with this value or with the process; `false` if another has it.
    ///
    /// # Errors
    /// If the system or the file system has no such locks.
    pub fn try_lock(&self) -> io::Result<bool> {
        system::try_lock(&self.handle)
    }

    /// Wait until its names are on the disk, where that can be done.
    ///
    /// # Errors
    /// As the system says.
    pub fn sync(&self) -> io::Result<()> {
        system::sync(&self.handle)
    }

    /// An error of opening a name, in words if it is not of the kind that was wanted.
    fn told(&self, name: &OsStr, wanted: Kind, error: io::Error) -> io::Error {
        if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) {
            return error;
        }
        match self.kind(name) {
            Ok(Some(Kind::Link)) => io::Error::other(format!(
                "it is a link, where a {} belongs, and what is in a run is never looked for elsewhere",
                name_of(wanted)
            )),
            Ok(Some(found)) if found != wanted => not_a(wanted),
            _ => error,
        }
    }
}

const fn name_of(kind: Kind) -> &'static str {
    if matches!(kind, Kind::Directory) { "folder" } else { "file" }
}

fn not_a(wanted: Kind) -> io::Error {
    io::Error::other(match wanted {
        Kind::Directory => "it is a file, a pipe or a device, where a folder belongs",
        _ => "it is a folder, a pipe or a device, where a file belongs",
    })
}

/// One name, which leads nowhere else.
fn plain(name: &OsStr) -> io::Result<&OsStr> {
    let mut parts = Path::new(name).components();
    match (parts.next(), parts.next()) {
        (Some(Component::Normal(only)), None) if only == name => Ok(name),
        _ => Err(io::Error::new(ErrorKind::InvalidInput, "not a file name")),
    }
}
