//! Which system calls touch files, and what each does to the disk.

use nix::libc;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What a call may do to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it looks or reads.
    Reads,
    /// It may need space: it writes, or makes a name.
    Fills,
    /// Anything else: it renames, removes, cuts, locks, syncs.
    Changes,
}

/// A system call that touches a file of the command under test.
#[derive(Debug, Clone)]
pub struct Call {
    pub name: &'static str,
    pub effect: Effect,
    pub path: PathBuf,
    /// Bytes to be written, of a call that writes some.
    pub length: Option<u64>,
}

impl std::fmt::Display for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.path.display())
    }
}

/// Where a call says which file it means.
#[derive(Clone, Copy)]
enum Place {
    /// The first argument is an open file.
    Open,
    /// The first argument is a path.
    Path,
    /// The first argument is an open folder, the second a path in it.
    At,
}

/// The call that is about to be made, if it means a file below one of `roots`.
pub fn decode(thread: i32, number: i64, arguments: [u64; 3], roots: &[PathBuf]) -> Option<Call> {
    let (name, place, effect) = known(number)?;
    let path = match place {
        Place::Open => open_file(thread, arguments[0])?,
        Place::Path => text(thread, arguments[0])?,
        Place::At => {
            let named = text(thread, arguments[1])?;
            let folder = if named.is_absolute() { None } else { open_file(thread, arguments[0]) };
            folder.map_or(named.clone(), |folder| folder.join(named))
        }
    };
    let path =
        if path.is_absolute() { path } else { fs::read_link(format!("/proc/{thread}/cwd")).ok()?.join(path) };
    let writes = matches!(name, "write" | "pwrite64");
    let makes = name != "openat" || arguments[2] & libc::O_CREAT as u64 != 0;
    let effect = if makes { effect } else { Effect::Reads };
    let length = writes.then_some(arguments[2]);
    roots.iter().any(|root| path.starts_with(root)).then_some(Call { name, effect, path, length })
}

fn known(number: i64) -> Option<(&'static str, Place, Effect)> {
    use Effect::{Changes, Fills, Reads};
    use Place::{At, Open, Path};
    Some(match number {
        libc::SYS_read => ("read", Open, Reads),
        libc::SYS_readv => ("readv", Open, Reads),
        libc::SYS_pread64 => ("pread64", Open, Reads),
        libc::SYS_fstat => ("fstat", Open, Reads),
        libc::SYS_lseek => ("lseek", Open, Reads),
        libc::SYS_getdents64 => ("getdents64", Open, Reads),
        libc::SYS_stat => ("stat", Path, Reads),
        libc::SYS_lstat => ("lstat", Path, Reads),
        libc::SYS_access => ("access", Path, Reads),
        libc::SYS_readlink => ("readlink", Path, Reads),
        libc::SYS_readlinkat => ("readlinkat", At, Reads),
        libc::SYS_newfstatat => ("newfstatat", At, Reads),
        libc::SYS_statx => ("statx", At, Reads),
        libc::SYS_faccessat => ("faccessat", At, Reads),
        libc::SYS_faccessat2 => ("faccessat2", At, Reads),
        libc::SYS_write => ("write", Open, Fills),
        libc::SYS_writev => ("writev", Open, Fills),
        libc::SYS_pwrite64 => ("pwrite64", Open, Fills),
        libc::SYS_fallocate => ("fallocate", Open, Fills),
        libc::SYS_copy_file_range => ("copy_file_range", Open, Fills),
        libc::SYS_sendfile => ("sendfile", Open, Fills),
        libc::SYS_open => ("open", Path, Fills),
        libc::SYS_creat => ("creat", Path, Fills),
        libc::SYS_mkdir => ("mkdir", Path, Fills),
        libc::SYS_link => ("link", Path, Fills),
        libc::SYS_symlink => ("symlink", Path, Fills),
        // Opening only reads unless it makes the file.
        libc::SYS_openat => ("openat", At, Fills),
        libc::SYS_mkdirat => ("mkdirat", At, Fills),
        libc::SYS_linkat => ("linkat", At, Fills),
        libc::SYS_flock => ("flock", Open, Changes),
        libc::SYS_fsync => ("fsync", Open, Changes),
        libc::SYS_fdatasync => ("fdatasync", Open, Changes),
        libc::SYS_ftruncate => ("ftruncate", Open, Changes),
        libc::SYS_fchmod => ("fchmod", Open, Changes),
        libc::SYS_truncate => ("truncate", Path, Changes),
        libc::SYS_rename => ("rename", Path, Changes),
        libc::SYS_rmdir => ("rmdir", Path, Changes),
        libc::SYS_unlink => ("unlink", Path, Changes),
        libc::SYS_chmod => ("chmod", Path, Changes),
        libc::SYS_unlinkat => ("unlinkat", At, Changes),
        libc::SYS_renameat => ("renameat", At, Changes),
        libc::SYS_renameat2 => ("renameat2", At, Changes),
        libc::SYS_fchmodat => ("fchmodat", At, Changes),
        libc::SYS_utimensat => ("utimensat", At, Changes),
        _ => return None,
    })
}

fn open_file(thread: i32, descriptor: u64) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{thread}/fd/{}", descriptor as i32)).ok()
}

/// The text at an address of the process.
fn text(thread: i32, address: u64) -> Option<PathBuf> {
    let memory = File::open(format!("/proc/{thread}/mem")).ok()?;
    let mut bytes = Vec::new();
    while bytes.len() < 4096 {
        // To the end of a block at most: what is behind it may not be the process's.
        let from = address + bytes.len() as u64;
        let mut block = vec![0; (256 - from % 256) as usize];
        let read = memory.read_at(&mut block, from).ok().filter(|&read| read > 0)?;
        bytes.extend(&block[..read]);
        if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
            bytes.truncate(end);
            return Some(
                Path::new(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(&bytes)).into(),
            );
        }
    }
    None
}
