//! A tiny classifier, a server for it in a thread, and a client of plain sockets.

use serde_json::Value;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use wellfit_data::Preprocessing;
use wellfit_models::{Shape, build};
use wellfit_run::Classifier;
use wellfit_serve::{Event, Server, Settings};
use wellfit_train::Description;
use wellfit_weights::write_safetensors;

/// The weights of a small network with three classes, at random from `seed`.
pub fn tiny(dir: &TempDir, seed: u64) -> PathBuf {
    let mut network = build("resnet20", Shape::image(16, 16, 3), 3).unwrap();
    network.initialise(seed);
    let description = Description {
        model: "resnet20".to_owned(),
        classes: ["cat", "dog", "<b>"].map(str::to_owned).to_vec(),
        preprocessing: Preprocessing::imagenet((16, 16)),
    };
    let path = dir.path().join("tiny.safetensors");
    write_safetensors(&path, &description.weight_file(&network)).unwrap();
    path
}

/// A PNG of 4 × 4 pixels, written by hand: stored, not compressed.
pub fn picture(number: u8) -> Vec<u8> {
    let rows: Vec<u8> = (0..4)
        .flat_map(|y| [vec![0], (0..12).map(|x| number * 40 + y * 20 + x).collect()].concat())
        .collect();
    let (mut low, mut high) = (1_u32, 0_u32);
    for &byte in &rows {
        low = (low + u32::from(byte)) % 65521;
        high = (high + low) % 65521;
    }
    let length = rows.len() as u16;
    let mut data = vec![0x78, 1, 1];
    data.extend([length.to_le_bytes(), (!length).to_le_bytes()].concat());
    data.extend(rows);
    data.extend((high << 16 | low).to_be_bytes());
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, body) in
        [(b"IHDR", vec![0, 0, 0, 4, 0, 0, 0, 4, 8, 2, 0, 0, 0]), (b"IDAT", data), (b"IEND", vec![])]
    {
        png.extend((body.len() as u32).to_be_bytes());
        let chunk = [&kind[..], &body].concat();
        png.extend(&chunk);
        png.extend(crc(&chunk).to_be_bytes());
    }
    png
}

fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    !bytes.iter().fold(!0, |crc, &byte| (0..8).fold(crc ^ u32::from(byte), step))
}

/// The type and the body of a form of files.
pub fn multipart(files: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, bytes) in files {
        let head =
            format!("--edge\r\nContent-Disposition: form-data; name=\"image\"; filename=\"{name}\"\r\n\r\n");
        body.extend([head.as_bytes(), bytes, b"\r\n"].concat());
    }
    body.extend(b"--edge--\r\n");
    ("multipart/form-data; boundary=edge".to_owned(), body)
}

/// A server in a thread; it ends with this value.
pub struct Running {
    pub address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Vec<Event>>>,
}

impl Running {
    pub fn new(path: &Path, settings: Settings) -> Self {
        let settings = Settings { address: ([127, 0, 0, 1], 0).into(), ..settings };
        let again = path.to_owned();
        let server = Server::bind(Classifier::open(path).unwrap(), settings).unwrap();
        let server = server.watching(path.to_owned(), move || Classifier::open(&again));
        let (address, stop) = (server.address(), Arc::new(AtomicBool::new(false)));
        let asked = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut told = Vec::new();
            server.run(&|| asked.load(Ordering::Relaxed), &mut |event| told.push(event)).unwrap();
            told
        });
        Self { address, stop, thread: Some(thread) }
    }

    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Wait for its end; what it told.
    pub fn ended(mut self) -> Vec<Event> {
        self.stop();
        self.thread.take().unwrap().join().unwrap()
    }

    /// Everything that comes back.
    pub fn raw(&self, request: &[u8]) -> String {
        String::from_utf8_lossy(&self.exchange(request)).into_owned()
    }

    fn exchange(&self, request: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        // A server that refuses early does not read all of it.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        answer
    }

    /// Status, head and body.
    pub fn response(&self, method: &str, path: &str, kind: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
        let answer = self.exchange(&request(method, path, kind, body));
        let end = answer
            .windows(4)
            .position(|part| part == b"\r\n\r\n")
            .unwrap_or_else(|| panic!("{method} {path}: {}", String::from_utf8_lossy(&answer)));
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        (head[9..12].parse().unwrap(), head, answer[end + 4..].to_vec())
    }

    pub fn bytes(&self, path: &str, kind: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let (code, _, body) = self.response("POST", path, kind, body);
        (code, body)
    }

    pub fn post(&self, path: &str, kind: &str, body: &[u8]) -> (u16, Value) {
        let (code, body) = self.bytes(path, kind, body);
        (code, serde_json::from_slice(&body).unwrap())
    }

    pub fn get(&self, path: &str) -> (u16, Value) {
        let (code, _, body) = self.response("GET", path, "text/plain", &[]);
        (code, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.response("GET", path, "text/plain", &[]).2).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the server panicked");
        }
    }
}

fn request(method: &str, path: &str, kind: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Good requests of every kind.
pub fn requests() -> Vec<Vec<u8>> {
    let (kind, form) = multipart(&[("a.png", &picture(0)), ("b.png", &picture(1))]);
    let json = format!("{{\"images\": [\"{}\"]}}", "iVBORw0KGgo=");
    vec![
        request("POST", "/predict?top=2", "image/png", &picture(2)),
        request("POST", "/predict", &kind, &form),
        request("POST", "/predict", "application/json", json.as_bytes()),
        request("POST", "/explain", "image/png", &picture(3)),
        request("GET", "/metrics", "text/plain", &[]),
        request("GET", "/", "text/plain", &[]),
    ]
}

/// A request with some bytes changed, cut out, doubled or put in, by the number alone.
pub fn damaged(good: &[u8], number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below.max(1)
    };
    let mut bytes = good.to_vec();
    for _ in 0..=draw(6) {
        let (at, length) = (draw(bytes.len()), draw(40));
        let end = (at + length).min(bytes.len());
        match draw(5) {
            0 => bytes[at] = draw(256) as u8,
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(at.max(1)),
            3 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
            _ => {
                let word = [
                    &b"\r\n\r\n"[..],
                    b"Content-Length: 99999999999999999999\r\n",
                    b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
                    b"\0",
                    b"--edge",
                    b"Expect: 100-continue\r\n",
                ][draw(6)];
                bytes.splice(at..at, word.iter().copied());
            }
        }
        if bytes.is_empty() {
            bytes.push(b'x');
        }
    }
    bytes
}
