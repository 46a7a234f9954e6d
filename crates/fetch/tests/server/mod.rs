//! A server on this machine that answers as a test says, well or badly.

#![allow(dead_code, reason = "each file of tests uses a part of it")]

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What a client asked.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first byte that is asked for.
    pub fn start(&self) -> usize {
        let range = self.header("range").and_then(|range| range.strip_prefix("bytes="));
        range.map_or(0, |range| range.trim_end_matches('-').parse().unwrap())
    }
}

pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// `answer` gets each request with its number, from 0, and writes what it likes; then the connection is closed.
    pub fn start(answer: impl Fn(&Asked, usize, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (log, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (log, answer) = (Arc::clone(&log), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let Some(request) = read(&stream) else { return };
                    let number = {
                        let mut log = log.lock().unwrap();
                        log.push(request.clone());
                        log.len() - 1
                    };
                    answer(&request, number, &mut stream);
                });
            }
        });
        Self { url, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    let mut words = first.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    Some(Asked { method, path, headers })
}

/// The head of an answer; `headers` are lines.
pub fn head(stream: &mut TcpStream, status: &str, headers: &[String]) {
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let _ = write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\n{lines}\r\n");
}

/// A good answer, with the part that is asked for.
pub fn serve(asked: &Asked, body: &[u8], stream: &mut TcpStream) {
    let (start, total) = (asked.start(), body.len());
    let etag = "ETag: \"one\"".to_owned();
    let same = asked.header("if-range").is_none_or(|etag| etag == "\"one\"");
    let body = if start > 0 && same {
        if start >= total {
            return head(stream, "416 Range Not Satisfiable", &["Content-Length: 0".to_owned()]);
        }
        let range = format!("Content-Range: bytes {start}-{}/{total}", total - 1);
        head(stream, "206 Partial Content", &[range, format!("Content-Length: {}", total - start), etag]);
        &body[start..]
    } else {
        head(stream, "200 OK", &[format!("Content-Length: {total}"), etag]);
        body
    };
    if asked.method == "GET" {
        let _ = stream.write_all(body);
    }
}
