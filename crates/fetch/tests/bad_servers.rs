//! Servers that misbehave: there is never a wrong file in the cache, and always an end with a sentence.

mod server;

use server::{Asked, Server, head, serve};
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};
use wellfit_base::hash::sha256;
use wellfit_fetch::{Event, Limits, Settings, Store};

/// Long enough for several reads, short enough for many tests.
const LENGTH: usize = 300_000;
const STALL: Duration = Duration::from_millis(300);

fn content() -> Vec<u8> {
    (0..LENGTH as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

fn name() -> String {
    format!("resnet-{}.pth", &sha256(&content())[..8])
}

fn settings(url: &str, cache: &Path) -> Settings {
    let mut settings = Settings::from_env(Some(cache.to_owned()), false);
    (settings.torchvision_url, settings.hub_url) = (url.to_owned(), url.to_owned());
    (settings.torch, settings.hub, settings.offline, settings.hub_offline) = (None, None, None, None);
    (settings.proxies, settings.token) = (false, None);
    settings.limits = Limits {
        connect: Duration::from_secs(2),
        stall: STALL,
        slowest: 10_000,
        largest: 1 << 20,
        attempts: 3,
        pause: Duration::from_millis(1),
    };
    settings
}

/// What the cache holds besides locks and parts.
fn held(cache: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = std::fs::read_dir(cache) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.extension().is_some_and(|kind| kind == "pth"));
    files.map(|path| std::fs::read(path).unwrap()).collect()
}

struct Outcome {
    result: Result<(), String>,
    retries: Vec<String>,
    asked: Vec<Asked>,
}

/// Fetch from such a server into an empty cache; `before` is what an earlier download left.
fn fetch(before: &[u8], answer: impl Fn(&Asked, usize, &mut TcpStream) + Send + Sync + 'static) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(answer);
    let store = Store::new(settings(&server.url, dir.path()));
    if !before.is_empty() {
        std::fs::write(dir.path().join(format!("{}.part", name())), before).unwrap();
        std::fs::write(dir.path().join(format!("{}.etag", name())), "\"one\"").unwrap();
    }
    let mut retries = Vec::new();
    let began = Instant::now();
    let result = store.torchvision(&name(), &mut |event| {
        if let Event::Retry { problem, .. } = event {
            retries.push(problem.to_owned());
        }
    });
    assert!(began.elapsed() < Duration::from_secs(10), "it ended late");
    match &result {
        Ok(found) => {
            assert_eq!(std::fs::read(&found.path).unwrap(), content());
            assert!(store.verify(&found.path).result.is_ok());
        }
        Err(_) => assert!(held(dir.path()).is_empty(), "a wrong file is in the cache"),
    }
    Outcome { result: result.map(|_| ()).map_err(|error| error.to_string()), retries, asked: server.asked() }
}

fn ends(outcome: &Outcome, words: &str) {
    let problem = outcome.result.as_ref().unwrap_err();
    assert!(problem.contains(words), "expected ‘{words}’ in: {problem}");
    assert!(problem.contains("http://127.0.0.1") && problem.contains(&name()), "{problem}");
    assert!(problem.contains("or give the path of a file"), "{problem}");
}

#[test]
fn a_good_server() {
    let outcome = fetch(b"", |asked, _, stream| serve(asked, &content(), stream));
    outcome.result.unwrap();
    assert_eq!((outcome.asked.len(), outcome.retries.len()), (1, 0));
    assert_eq!(outcome.asked[0].header("accept-encoding"), Some("identity"));
}

#[test]
fn not_there_or_forbidden() {
    for (status, words, tries) in [
        ("404 Not Found", "status 404", 1),
        ("403 Forbidden", "status 403", 1),
        ("451 Unavailable", "status 451", 1),
        ("503 Busy", "status 503, 3 times in a row", 3),
        ("500 Broken", "status 500, 3 times in a row", 3),
    ] {
        let outcome = fetch(b"", move |_, _, stream| head(stream, status, &["Content-Length: 0".to_owned()]));
        ends(&outcome, words);
        assert_eq!(outcome.asked.len(), tries, "{status}");
    }
}

#[test]
fn an_error_that_passes() {
    for status in ["500 Broken", "502 Bad", "503 Busy", "429 Too Many", "408 Timeout"] {
        let outcome = fetch(b"", move |asked, number, stream| match number {
            0 => head(stream, status, &["Content-Length: 0".to_owned(), "Retry-After: 0".to_owned()]),
            _ => serve(asked, &content(), stream),
        });
        outcome.result.unwrap();
        assert_eq!(outcome.retries.len(), 1, "{status}");
    }
}

/// The body breaks off each time: each request goes on where the last one ended.
#[test]
fn a_body_that_breaks_off_is_gone_on_with() {
    let outcome = fetch(b"", |asked, number, stream| {
        let (start, all) = (asked.start(), content());
        let range = format!("Content-Range: bytes {start}-{}/{LENGTH}", LENGTH - 1);
        let status = if start > 0 { "206 Partial" } else { "200 OK" };
        head(
            stream,
            status,
            &[range, format!("Content-Length: {}", LENGTH - start), "ETag: \"one\"".to_owned()],
        );
        let end = if number < 2 { start + 100_000 } else { LENGTH };
        stream.write_all(&all[start..end]).unwrap();
    });
    outcome.result.unwrap();
    let starts: Vec<usize> = outcome.asked.iter().map(Asked::start).collect();
    assert_eq!(starts, [0, 100_000, 200_000]);
    assert_eq!(outcome.asked[1].header("if-range"), Some("\"one\""));
}

#[test]
fn a_body_that_always_breaks_off() {
    let outcome = fetch(b"", |_, _, stream| {
        head(stream, "200 OK", &[format!("Content-Length: {LENGTH}")]);
        stream.write_all(&content()[..1000]).unwrap();
    });
    ends(&outcome, "broke off");
}

#[test]
fn a_wrong_length() {
    let shorter = fetch(b"", |_, _, stream| {
        head(stream, "200 OK", &[format!("Content-Length: {}", LENGTH - 1)]);
        stream.write_all(&content()).unwrap();
    });
    ends(&shorter, "another file: its SHA-256");
    let longer = fetch(b"", |_, _, stream| {
        head(stream, "200 OK", &[format!("Content-Length: {}", LENGTH + 1)]);
        stream.write_all(&content()).unwrap();
    });
    ends(&longer, "broke off");
    let nonsense = fetch(b"", |_, _, stream| {
        head(stream, "200 OK", &["Content-Length: many".to_owned()]);
        stream.write_all(&content()).unwrap();
    });
    assert!(nonsense.result.is_err());
    let none = fetch(b"", |_, _, stream| {
        head(stream, "200 OK", &[]);
        stream.write_all(&content()).unwrap();
    });
    none.result.unwrap();
}

/// A chunked body that ends early does not count as a whole one.
#[test]
fn chunks() {
    let whole = |end: bool| {
        fetch(b"", move |_, _, stream| {
            head(stream, "200 OK", &["Transfer-Encoding: chunked".to_owned()]);
            write!(stream, "{LENGTH:x}\r\n").unwrap();
            stream.write_all(&content()).unwrap();
            stream.write_all(if end { b"\r\n0\r\n\r\n" } else { b"\r\n" }).unwrap();
        })
    };
    whole(true).result.unwrap();
    let broken = fetch(b"", |_, _, stream| {
        head(stream, "200 OK", &["Transfer-Encoding: chunked".to_owned()]);
        write!(stream, "{LENGTH:x}\r\n").unwrap();
        stream.write_all(&content()[..5000]).unwrap();
    });
    ends(&broken, "broke off");
    let _ = whole(false);
}

#[test]
fn silence() {
    let after_head = fetch(b"", |_, _, stream| {
        head(stream, "200 OK", &[format!("Content-Length: {LENGTH}")]);
        stream.write_all(&content()[..1000]).unwrap();
        sleep(4 * STALL);
    });
    ends(&after_head, "fell silent");
    let before_head = fetch(b"", |_, _, _| sleep(4 * STALL));
    ends(&before_head, "fell silent");
}

/// A byte now and then would keep a reader waiting for weeks.
#[test]
fn drops() {
    let outcome = fetch(b"", |_, _, stream| {
        head(stream, "200 OK", &[format!("Content-Length: {LENGTH}")]);
        for byte in content() {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            sleep(STALL / 10);
        }
    });
    ends(&outcome, "the server sent only");
}

#[test]
fn wrong_bytes() {
    let mut wrong = content();
    wrong[LENGTH / 2] ^= 1;
    let outcome = fetch(b"", move |asked, _, stream| serve(asked, &wrong, stream));
    ends(&outcome, "the server sent another file: its SHA-256");
    let empty = fetch(b"", move |asked, _, stream| serve(asked, b"", stream));
    ends(&empty, "another file");
}

#[test]
fn a_web_page() {
    let page = b"<html>log in to the hotel</html>";
    let told = fetch(b"", move |_, _, stream| {
        head(stream, "200 OK", &["Content-Type: text/html; charset=utf-8".to_owned()]);
        stream.write_all(page).unwrap();
    });
    ends(&told, "web page");
    let untold = fetch(b"", move |asked, _, stream| serve(asked, page, stream));
    ends(&untold, "another file");
}

#[test]
fn packed_though_not_asked_for() {
    let outcome = fetch(b"", |_, _, stream| {
        head(stream, "200 OK", &["Content-Encoding: gzip".to_owned(), "Content-Length: 20".to_owned()]);
        stream.write_all(&[31; 20]).unwrap();
    });
    ends(&outcome, "packs the file (gzip)");
}

#[test]
fn redirects() {
    let round = fetch(b"", |_, _, stream| head(stream, "302 Found", &["Location: /again".to_owned()]));
    ends(&round, "more than 10 times");
    let nowhere = fetch(b"", |_, _, stream| head(stream, "302 Found", &[]));
    ends(&nowhere, "not where to");
    let file =
        fetch(b"", |_, _, stream| head(stream, "301 Moved", &["Location: file:///etc/passwd".to_owned()]));
    ends(&file, "no address");
    let good = fetch(b"", |asked, number, stream| match number {
        0 => head(stream, "307 Moved", &["Location: ../other/place?x=1".to_owned()]),
        _ => serve(asked, &content(), stream),
    });
    good.result.unwrap();
}

#[test]
fn too_much() {
    let told = fetch(b"", |_, _, stream| head(stream, "200 OK", &["Content-Length: 99999999999".to_owned()]));
    ends(&told, "99999999999 bytes; at most 1048576");
    let untold = fetch(b"", |_, _, stream| {
        head(stream, "200 OK", &[]);
        while stream.write_all(&[0; 65536]).is_ok() {}
    });
    ends(&untold, "more than 1048576 bytes");
}

#[test]
fn closed_at_once_or_no_http() {
    let outcome = fetch(b"", |_, _, _| ());
    ends(&outcome, "broke off");
    assert_eq!(outcome.asked.len(), 3);
    let garbage = fetch(b"", |_, _, stream| stream.write_all(b"220 smtp ready\r\n\r\n").unwrap());
    assert!(garbage.result.is_err());
    let long = fetch(b"", |_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-More: and more\r\n").is_ok() {}
    });
    assert!(long.result.is_err());
}

#[test]
fn nobody() {
    let dir = tempfile::tempdir().unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let store = Store::new(settings(&format!("http://{free}"), dir.path()));
    let problem = store.torchvision(&name(), &mut |_| ()).unwrap_err().to_string();
    assert!(problem.contains("connection refused"), "{problem}");
}

/// What an earlier process left is the beginning of the file, or is not.
#[test]
fn going_on_after_an_earlier_process() {
    let good = fetch(&content()[..123_456], |asked, _, stream| serve(asked, &content(), stream));
    good.result.unwrap();
    assert_eq!(good.asked[0].start(), 123_456);

    let ignored = fetch(&content()[..1000], |_, _, stream| {
        head(stream, "200 OK", &[format!("Content-Length: {LENGTH}")]);
        stream.write_all(&content()).unwrap();
    });
    ignored.result.unwrap();
    assert_eq!(ignored.asked.len(), 1, "a server without ranges sends all of it");

    let damaged = fetch(&[7; 1000], |asked, _, stream| serve(asked, &content(), stream));
    damaged.result.unwrap();
    assert_eq!(damaged.asked.iter().map(Asked::start).collect::<Vec<_>>(), [1000, 0]);

    let all = fetch(&content(), |asked, _, stream| serve(asked, &content(), stream));
    all.result.unwrap();

    let more = fetch(&[content(), vec![1]].concat(), |asked, _, stream| serve(asked, &content(), stream));
    more.result.unwrap();
}

#[test]
fn going_on_with_another_file_or_elsewhere() {
    for (range, etag) in [
        (format!("bytes 1000-{}/{LENGTH}", LENGTH - 1), "\"two\""),
        (format!("bytes 0-{}/{LENGTH}", LENGTH - 1), "\"one\""),
        (format!("bytes 999-{}/{LENGTH}", LENGTH - 1), "\"one\""),
        ("bytes".to_owned(), "\"one\""),
    ] {
        let answered = range.clone();
        let outcome = fetch(&content()[..1000], move |asked, number, stream| {
            if number > 0 {
                return serve(asked, &content(), stream);
            }
            head(
                stream,
                "206 Partial Content",
                &[format!("Content-Range: {answered}"), format!("ETag: {etag}")],
            );
            stream.write_all(&content()[1000..]).unwrap();
        });
        outcome.result.unwrap();
        assert_eq!(outcome.retries.len(), 1, "{range} {etag}");
        assert_eq!(outcome.asked[1].start(), 0);
    }
}

/// A part is kept where another try may complete it.
#[test]
fn a_part_stays_when_the_network_goes() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _, stream| {
        head(stream, "200 OK", &[format!("Content-Length: {LENGTH}"), "ETag: \"one\"".to_owned()]);
        stream.write_all(&content()[..70_000]).unwrap();
    });
    let mut settings = settings(&server.url, dir.path());
    settings.limits.attempts = 1;
    Store::new(settings.clone()).torchvision(&name(), &mut |_| ()).unwrap_err();
    let good = Server::start(|asked, _, stream| serve(asked, &content(), stream));
    settings.torchvision_url.clone_from(&good.url);
    Store::new(settings).torchvision(&name(), &mut |_| ()).unwrap();
    assert_eq!(good.asked()[0].start(), 70_000);
}
