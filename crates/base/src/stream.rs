//! Reading what the user names to be read once, which may be a pipe that another program fills.

use crate::file::{open_at_once, too_large};
use std::fs::{self, File, FileType};
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

/// The longest that a pipe may have nothing to read while something could still write to it.
pub const MOST_SILENCE: Duration = Duration::from_secs(10);
/// How long to wait before a pipe is looked at again.
const PAUSE: Duration = Duration::from_millis(5);

/// At most `most` bytes of a regular file or of a pipe, as shells make for `<(…)` and for standard input. A pipe is read
/// until nobody can write to it any more; one that nobody writes to is empty at once.
///
/// # Errors
/// If it is anything else, such as a device or a socket, or cannot be read; if there is more:
/// [`io::ErrorKind::FileTooLarge`]; if a pipe is silent for [`MOST_SILENCE`]: [`io::ErrorKind::TimedOut`].
pub fn read_stream(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    readable(fs::metadata(path)?.file_type())?;
    let file = open_at_once(path)?;
    readable(file.metadata()?.file_type())?;
    read_within(&file, most, MOST_SILENCE)
}

fn readable(kind: FileType) -> io::Result<()> {
    if kind.is_file() || is_pipe(kind) {
        return Ok(());
    }
    Err(io::Error::other("it is a folder, a device or a socket, where a file or a pipe belongs"))
}

#[cfg(unix)]
fn is_pipe(kind: FileType) -> bool {
    std::os::unix::fs::FileTypeExt::is_fifo(&kind)
}

#[cfg(not(unix))]
fn is_pipe(_: FileType) -> bool {
    false
}

fn read_within(mut file: &File, most: u64, silence: Duration) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut block = vec![0; 1 << 16];
    let mut heard = Instant::now();
    loop {
        match file.read(&mut block) {
            Ok(0) => return Ok(bytes),
            Ok(count) => {
                bytes.extend_from_slice(block.get(..count).unwrap_or_default());
                heard = Instant::now();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            Err(_) if heard.elapsed() < silence => thread::sleep(PAUSE),
            Err(_) => {
                let problem = format!("the pipe is open, but nothing came for {} seconds", silence.as_secs());
                return Err(io::Error::new(ErrorKind::TimedOut, problem));
            }
        }
        if bytes.len() as u64 > most {
            return Err(too_large(format!("it has more than {most} bytes")));
        }
    }
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]
mod tests {
    use super::*;
    use std::io::Write;

    /// A pipe with a name, in a folder of its own.
    fn pipe(dir: &Path) -> std::path::PathBuf {
        let path = dir.join("pipe");
        crate::testing::make_pipe(&path);
        path
    }

    /// Whoever opens a pipe for both ends does not wait.
    fn both_ends(path: &Path) -> File {
        File::options().read(true).write(true).open(path).unwrap()
    }

    #[test]
    fn a_pipe_is_read_to_its_end_however_slowly_it_comes() {
        let dir = tempfile::tempdir().unwrap();
        let path = pipe(dir.path());
        let holder = both_ends(&path);
        let mut writer = File::options().write(true).open(&path).unwrap();
        let reader = open_at_once(&path).unwrap();
        drop(holder);
        let written = thread::spawn(move || {
            for part in [&b"one "[..], b"two ", b"three"] {
                thread::sleep(Duration::from_millis(30));
                writer.write_all(part).unwrap();
            }
        });
        assert_eq!(read_within(&reader, 13, Duration::from_secs(10)).unwrap(), b"one two three");
        written.join().unwrap();
    }

    #[test]
    fn nobody_is_waited_for_without_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = pipe(dir.path());
        let began = Instant::now();
        assert_eq!(read_stream(&path, 10).unwrap(), b"", "nobody writes");
        let _writer = both_ends(&path);
        let silent = read_within(&open_at_once(&path).unwrap(), 10, Duration::from_millis(100)).unwrap_err();
        assert_eq!(silent.kind(), ErrorKind::TimedOut);
        assert!(began.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn more_than_fits_and_what_is_no_file_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = pipe(dir.path());
        let mut writer = both_ends(&path);
        writer.write_all(&[7; 11]).unwrap();
        let long = read_within(&open_at_once(&path).unwrap(), 10, MOST_SILENCE).unwrap_err();
        assert_eq!(long.kind(), ErrorKind::FileTooLarge);
        let socket = dir.path().join("socket");
        let _socket = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in
            [dir.path(), &socket, Path::new("/dev/zero"), Path::new("/dev/null"), Path::new("/dev/tty")]
        {
            assert!(read_stream(path, 10).is_err(), "{}", path.display());
        }
    }
}
