//! What may stand in a file's place: things that are no files, files that are no right ones, and links to all of them.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// What is not made by copying bytes.
#[derive(Debug, Clone, Copy)]
pub enum Object {
    /// A pipe that nobody writes to.
    Pipe,
    /// A pipe that somebody could write to and does not.
    SilentPipe,
    Socket,
    Folder,
    FullFolder,
    /// A link to a device of that name.
    Device(&'static str),
    /// A file under `/proc`, whose length is said to be 0.
    Proc(&'static str),
    Dangling,
    Loop,
    /// A file with so many bytes, none of them on the disk.
    Sparse(u64),
    Bytes(&'static [u8]),
    /// One line that never ends.
    Line(usize),
    /// The first half of what was there.
    Half,
    /// What was there, twice.
    Twice,
    /// What was there, with one byte changed.
    Flipped,
    /// What was there, growing while it is read.
    Growing,
    /// A second name of a file elsewhere.
    HardLink,
    /// Nothing at all.
    Missing,
}

use Object::{
    Bytes, Dangling, Device, Flipped, Folder, FullFolder, Growing, Half, HardLink, Line, Loop, Missing, Pipe,
    Proc, SilentPipe, Socket, Sparse, Twice,
};

/// The objects; each stands in the place itself, behind a link, behind two, and behind a relative one.
const KINDS: [Object; 30] = [
    Pipe,
    SilentPipe,
    Socket,
    Folder,
    FullFolder,
    Device("zero"),
    Device("full"),
    Device("null"),
    Device("tty"),
    Device("urandom"),
    Proc("/proc/self/mem"),
    Proc("/proc/kmsg"),
    Proc("/proc/self/environ"),
    Dangling,
    Loop,
    Sparse(1 << 30),
    Sparse(1 << 40),
    Bytes(b""),
    Bytes(b"\0"),
    Bytes(b"\xff\xfe\xff\xfe\n\n"),
    Bytes(b"{}\n{}\n"),
    Bytes(b"\x1b[31mred\x1b]0;title\x07\n\x1b[2J,\xe2\x80\xae\n"),
    Line(1 << 20),
    Half,
    Twice,
    Flipped,
    Growing,
    HardLink,
    Missing,
    Bytes(
        b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    ),
];

/// How many objects there are.
pub const COUNT: usize = KINDS.len() * 4;

/// An object in its place, as long as this value lives.
pub struct Placed {
    pub name: String,
    /// Ends the thread that has to do with it.
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    socket: Option<UnixListener>,
    holder: Option<File>,
}

impl Drop for Placed {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
        drop((self.socket.take(), self.holder.take()));
    }
}

/// Put object `number` where `path` is, whose own file goes; what a link leads to is made in `outside`.
pub fn place(number: usize, path: &Path, outside: &Path) -> Placed {
    let (kind, way) = (KINDS[number / 4 % KINDS.len()], number % 4);
    let before = fs::read(path).unwrap_or_default();
    if path.is_dir() {
        fs::remove_dir_all(path).unwrap();
    } else {
        let _ = fs::remove_file(path);
    }
    let real: PathBuf = if way == 0 { path.to_owned() } else { outside.join("object") };
    let mut placed = Placed {
        name: format!("{kind:?}, {} links", way.min(2)),
        done: Arc::default(),
        thread: None,
        socket: None,
        holder: None,
    };
    placed.make(kind, &real, &before, outside);
    match way {
        1 => symlink(&real, path).unwrap(),
        2 => {
            symlink(&real, outside.join("link")).unwrap();
            symlink(outside.join("link"), path).unwrap();
        }
        3 => {
            let up = "../".repeat(path.components().count() - 2);
            symlink(Path::new(&up).join(real.strip_prefix("/").unwrap()), path).unwrap();
        }
        _ => {}
    }
    placed
}

impl Placed {
    fn make(&mut self, kind: Object, real: &Path, before: &[u8], outside: &Path) {
        match kind {
            Pipe => pipe(real),
            SilentPipe => {
                pipe(real);
                self.holder = Some(File::options().read(true).write(true).open(real).unwrap());
            }
            // The name of a socket has at most 107 bytes.
            Socket => self.socket = UnixListener::bind(real).ok(),
            Folder => fs::create_dir(real).unwrap(),
            FullFolder => {
                fs::create_dir(real).unwrap();
                (0..3).for_each(|i| fs::write(real.join(format!("{i}\n\u{1b}[1A")), "x").unwrap());
            }
            Device(name) => symlink(Path::new("/dev").join(name), real).unwrap(),
            Proc(name) => symlink(name, real).unwrap(),
            Dangling => symlink(outside.join("nowhere"), real).unwrap(),
            Loop => {
                symlink(real, outside.join("back")).unwrap();
                symlink(outside.join("back"), real).unwrap();
            }
            Sparse(length) => File::create(real).unwrap().set_len(length).unwrap(),
            Bytes(bytes) => fs::write(real, bytes).unwrap(),
            Line(length) => fs::write(real, "1".repeat(length)).unwrap(),
            Half => fs::write(real, &before[..before.len() / 2]).unwrap(),
            Twice => fs::write(real, [before, before].concat()).unwrap(),
            Flipped => {
                let mut bytes = before.to_vec();
                let middle = bytes.len() / 2;
                bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 0x41);
                fs::write(real, bytes).unwrap();
            }
            Growing => {
                fs::write(real, before).unwrap();
                self.grow(real);
            }
            HardLink => {
                fs::write(outside.join("foreign"), before).unwrap();
                fs::hard_link(outside.join("foreign"), real).unwrap();
            }
            Missing => {}
        }
    }

    /// Append to a file until this value goes, up to 64 MiB.
    fn grow(&mut self, real: &Path) {
        use std::io::Write;
        let mut file = File::options().append(true).open(real).unwrap();
        let done = Arc::clone(&self.done);
        self.thread = Some(thread::spawn(move || {
            for _ in 0..1024 {
                if done.load(Ordering::Relaxed) || file.write_all(&[b'x'; 1 << 16]).is_err() {
                    break;
                }
            }
        }));
    }
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}
