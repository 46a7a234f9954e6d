//! Fetching a gzipped file whose content is known by its SHA-256.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};
use ureq::Agent;
use wellfit_base::atomic;
use wellfit_base::hash::hex;
use wellfit_base::words::left_out;

use crate::error::DataError;

/// What a file must hold once unpacked. The packing may differ between mirrors, the content may not.
pub(crate) struct Content<'a> {
    pub(crate) bytes: u64,
    pub(crate) sha256: &'a str,
}

/// The longest without a byte, and how often the rate is looked at.
const STALL: Duration = Duration::from_secs(30);
/// The fewest bytes in that time: a kibibyte a second. A server that drips holds nobody up for half an hour.
const LEAST: u64 = 30 << 10;

/// A client with limits, so that a silent server is an error, not a program that hangs.
pub(crate) fn agent() -> Agent {
    Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(10)))
        .timeout_recv_response(Some(STALL))
        .timeout_per_read(Some(STALL))
        .timeout_recv_body(Some(Duration::from_secs(30 * 60)))
        .build()
        .into()
}

/// Fetch `url` into `target`, which appears only complete and checked. `progress` gets the bytes received
/// so far and the total, if the server says.
///
/// # Errors
/// If the server cannot be reached or refuses, the content is not the expected one, or writing fails.
pub(crate) fn fetch(
    agent: &Agent,
    url: &str,
    target: &Path,
    content: &Content<'_>,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<(), DataError> {
    let failed = |reason: String| DataError::Download { url: url.into(), reason };
    let packed = receive(agent, url, content.bytes, (STALL, LEAST), progress).map_err(failed)?;
    check(&packed, content).map_err(failed)?;
    write(&packed, target).map_err(DataError::io(target))
}

/// The body, of at most as many bytes as its content has: packed is shorter. In each `window` there must come `least`
/// bytes.
fn receive(
    agent: &Agent,
    url: &str,
    most: u64,
    (window, least): (Duration, u64),
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<Vec<u8>, String> {
    if url.starts_with("https:") && !cfg!(feature = "https") {
        return Err(left_out("speaks http only, which the checked SHA-256 makes safe", "https"));
    }
    let response = agent.get(url).call().map_err(|error| in_words(&error))?;
    let body = response.into_body();
    let total = body.content_length();
    let mut reader = body.into_reader().take(most);
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; 1 << 16]);
    let (mut began, mut before) = (Instant::now(), 0);
    loop {
        let read = reader.read(&mut chunk).map_err(|error| format!("the connection broke off ({error})"))?;
        if read == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&chunk[..read]);
        progress(bytes.len() as u64, total);
        if began.elapsed() >= window {
            let came = bytes.len() as u64 - before;
            if came < least {
                return Err(format!("the server sent only {came} bytes in {} s", window.as_secs_f64()));
            }
            (began, before) = (Instant::now(), bytes.len() as u64);
        }
    }
}

fn in_words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::StatusCode(code) => format!("the server answered with status {code}"),
        other => other.to_string(),
    }
}

fn check(packed: &[u8], content: &Content<'_>) -> Result<(), String> {
    let mut hash = Sha256::new();
    let bytes = io::copy(&mut MultiGzDecoder::new(packed).take(content.bytes + 1), &mut hash)
        .map_err(|error| format!("the server sent damaged gzip data ({error})"))?;
    let found = hex(&hash.finalize());
    if bytes == content.bytes && found == content.sha256 {
        return Ok(());
    }
    Err(format!("the server sent other content: SHA-256 {found}, not {}", content.sha256))
}

fn write(bytes: &[u8], target: &Path) -> io::Result<()> {
    let dir = target.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir)?;
    atomic::replace(target, bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::RefCell;
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// A client that no proxy of the machine leads astray.
    pub(crate) fn direct() -> Agent {
        Agent::config_builder().proxy(None).build().into()
    }

    /// A server that gives each request in turn the next of `answers`. Returns its address.
    pub(crate) fn serve(answers: Vec<Vec<u8>>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for answer in answers {
                let mut stream = listener.accept().unwrap().0;
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
                stream.write_all(&answer).unwrap();
            }
        });
        format!("http://{address}")
    }

    pub(crate) fn ok(body: &[u8]) -> Vec<u8> {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    }

    pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A thousand letters a, and their SHA-256.
    pub(crate) const LETTERS: [u8; 1000] = [b'a'; 1000];
    pub(crate) const CONTENT: Content<'static> =
        Content { bytes: 1000, sha256: "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3" };

    fn fetch_into(target: &Path, url: &str) -> Result<(), String> {
        fetch(&direct(), url, target, &CONTENT, &|_, _| ()).map_err(|error| error.to_string())
    }

    #[test]
    fn a_good_file_arrives_with_progress() {
        let dir = tempfile::tempdir().unwrap();
        let (target, body) = (dir.path().join("new/folder/file.gz"), gzip(&LETTERS));
        let seen = RefCell::new(Vec::new());
        let see = |received, total| seen.borrow_mut().push((received, total));
        fetch(&direct(), &serve(vec![ok(&body)]), &target, &CONTENT, &see).unwrap();
        assert_eq!(fs::read(&target).unwrap(), body);
        let length = body.len() as u64;
        assert_eq!(seen.borrow().last(), Some(&(length, Some(length))));
    }

    #[test]
    fn anything_else_is_an_error_and_leaves_no_file() {
        let good = ok(&gzip(&LETTERS));
        let mut longer = LETTERS.to_vec();
        longer.push(b'a');
        for (answer, what) in [
            (ok(&gzip(&[b'b'; 1000])), "other content: SHA-256"),
            (ok(&gzip(&longer)), "other content: SHA-256"),
            (ok(&gzip(&LETTERS[1..])), "other content: SHA-256"),
            (ok(b"<html>log in to the hotel</html>"), "damaged gzip"),
            (good[..good.len() - 5].to_vec(), "broke off"),
            (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(), "status 404"),
            (Vec::new(), "cannot download"),
        ] {
            let dir = tempfile::tempdir().unwrap();
            let url = serve(vec![answer]);
            let message = fetch_into(&dir.path().join("file.gz"), &url).unwrap_err();
            assert!(message.contains(what) && message.contains(&url), "expected ‘{what}’ in: {message}");
            assert_eq!(fs::read_dir(&dir).unwrap().count(), 0, "{what}");
        }
    }

    /// A server that speaks no TLS is reached, and its answer is not taken for one.
    #[test]
    #[cfg(feature = "https")]
    fn https_is_spoken() {
        let url = serve(vec![ok(&gzip(&LETTERS))]).replace("http:", "https:");
        let dir = tempfile::tempdir().unwrap();
        let message = fetch_into(&dir.path().join("file.gz"), &url).unwrap_err();
        assert!(!message.contains("http only") && !message.contains("refused"), "{message}");
        assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
    }

    #[test]
    #[cfg(not(feature = "https"))]
    fn https_needs_another_build() {
        let message = fetch_into(Path::new("/nowhere"), "https://127.0.0.1/file").unwrap_err();
        assert!(message.contains("http only"), "{message}");
    }

    #[test]
    fn nobody_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let message = fetch_into(&dir.path().join("file.gz"), &format!("http://{free}/x")).unwrap_err();
        assert!(message.contains("refused"), "{message}");
    }

    #[test]
    fn a_server_that_drips_is_left() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap());
        let server = thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n").unwrap();
            while stream.write_all(b"x").is_ok() {
                thread::sleep(Duration::from_millis(10));
            }
        });
        let pace = (Duration::from_millis(200), 1000);
        let problem = receive(&direct(), &url, 1 << 20, pace, &|_, _| ()).unwrap_err();
        assert!(
            problem.starts_with("the server sent only ") && problem.ends_with(" bytes in 0.2 s"),
            "{problem}"
        );
        server.join().unwrap();
    }
}
