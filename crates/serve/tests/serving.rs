//! A server on loopback, asked through plain sockets.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod client;

use client::{Running, multipart, picture, tiny};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use wellfit_run::Classifier;
use wellfit_serve::Settings;

/// The most likely class and its probability, of each image.
fn best(answer: &Value) -> Vec<(String, f64)> {
    let one = |one: &Value| {
        let top = &one["top"][0];
        (top["class"].as_str().unwrap().to_owned(), top["probability"].as_f64().unwrap())
    };
    answer["predictions"].as_array().unwrap().iter().map(one).collect()
}

#[test]
fn answers_are_those_of_the_classifier_in_every_form() {
    let dir = tempfile::tempdir().unwrap();
    let path = tiny(&dir, 0);
    let server = Running::new(&path, Settings::default());
    let pictures: Vec<Vec<u8>> = (0..3).map(picture).collect();
    let files: Vec<_> = (0..3).map(|i| dir.path().join(format!("{i}.png"))).collect();
    files.iter().zip(&pictures).for_each(|(file, bytes)| std::fs::write(file, bytes).unwrap());
    let classifier = Classifier::open(&path).unwrap();
    let expected: Vec<(String, f64)> = classifier
        .predict_files(&files)
        .unwrap()
        .iter()
        .map(|one| one.ranks()[0])
        .map(|(class, probability)| (classifier.classes[class].clone(), f64::from(probability)))
        .collect();

    for kind in ["image/png", "application/octet-stream", "application/x-www-form-urlencoded"] {
        let (code, answer) = server.post("/predict", kind, &pictures[0]);
        assert_eq!((code, best(&answer)), (200, expected[..1].to_vec()), "{kind}");
        assert_eq!(answer["predictions"][0]["top"].as_array().unwrap().len(), 3);
    }
    let (kind, body) =
        multipart(&[("cat.png", &pictures[0]), ("two.png", &pictures[1]), ("3", &pictures[2])]);
    let (code, answer) = server.post("/predict?top=1", &kind, &body);
    assert_eq!((code, best(&answer)), (200, expected.clone()));
    assert_eq!(answer["predictions"][1]["image"], "two.png");
    assert_eq!(answer["predictions"][0]["top"].as_array().unwrap().len(), 1);
    let encoded = |bytes: &Vec<u8>| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let mut images: Vec<String> = pictures.iter().map(encoded).collect();
    images[2] = format!("data:image/png;base64,{}", images[2]);
    let (code, answer) =
        server.post("/predict", "application/json", json!({ "images": images }).to_string().as_bytes());
    assert_eq!((code, best(&answer)), (200, expected));

    let (code, model) = server.get("/model");
    assert_eq!((code, &model["classes"]), (200, &json!(["cat", "dog", "<b>"])));
    assert_eq!(model["image_size"], json!([16, 16]));
    assert_eq!(server.get("/health").0, 200);
    assert_eq!(server.get("/openapi.json").1["openapi"], "3.1.0");
    let page = server.raw("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".as_bytes());
    assert!(page.contains("<h1>What is in the picture?</h1>") && page.contains("content-security-policy"));
    let (code, png) = server.bytes("/explain", "image/png", &pictures[0]);
    assert_eq!((code, &png[1..4]), (200, &b"PNG"[..]));
}

#[test]
fn what_is_no_image_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { request_bytes: 1 << 20, queue: 4, ..Settings::default() };
    let server = Running::new(&tiny(&dir, 0), settings);
    let good = picture(0);
    let cut = &good[..good.len() / 2];
    let form = |parts: &[(&str, &[u8])]| multipart(parts);
    let (kind, five) = form(&[("1", &good[..]); 5]);
    for (what, path, kind, body, expected, words) in [
        ("a text", "/predict", "image/png", &b"hello"[..], 422, "predictions"),
        ("half an image", "/predict", "image/png", cut, 422, "predictions"),
        ("nothing", "/predict", "image/png", b"", 400, "no image"),
        ("no JSON", "/predict", "application/json", b"{", 400, "not {\\\"images\\\""),
        ("another key", "/predict", "application/json", br#"{"image": "aGk="}"#, 400, "unknown field"),
        (
            "no base64",
            "/predict",
            "application/json",
            br#"{"images": ["!"]}"#,
            400,
            "image 0 is not in base64",
        ),
        ("no form", "/predict", "multipart/form-data; boundary=x", b"hello", 400, "form"),
        ("no boundary", "/predict", "multipart/form-data", b"hello", 400, "form"),
        ("top 0", "/predict?top=0", "image/png", &good, 400, "at least 1"),
        ("an unknown parameter", "/predict?tap=1", "image/png", &good, 400, "tap"),
        ("too many images", "/predict", &kind, &five, 400, "5 images in a request are more than 4"),
        ("too much", "/predict", "image/png", &vec![0; (1 << 20) + 1], 413, "1 MiB"),
        ("another place", "/predictions", "image/png", &good, 404, "/openapi.json"),
        ("no image to explain", "/explain", "image/png", b"hello", 422, "error"),
    ] {
        let (code, answer) = server.post(path, kind, body);
        assert!(code == expected && answer.to_string().contains(words), "{what}: {code} {answer}");
    }
    assert_eq!(server.get("/predict").0, 405);
    let (kind, body) = form(&[("good", &good), ("bad", b"hello")]);
    let (code, answer) = server.post("/predict", &kind, &body);
    assert_eq!(code, 200, "the others are answered");
    assert_eq!(answer["predictions"][1]["image"], "bad");
    assert!(answer["predictions"][1]["error"].is_string() && answer["predictions"][0]["top"].is_array());
}

#[test]
fn who_may_not_ask_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let server =
        Running::new(&tiny(&dir, 0), Settings { token: Some("s3cret".to_owned()), ..Settings::default() });
    let ask = |path: &str, headers: &str| {
        server.raw(format!("GET {path} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n").as_bytes())
    };
    assert!(ask("/model", "Host: localhost\r\n").starts_with("HTTP/1.1 401"));
    assert!(
        ask("/metrics", "Host: localhost\r\nAuthorization: Bearer wrong\r\n").starts_with("HTTP/1.1 401")
    );
    assert!(ask("/model", "Host: localhost\r\nAuthorization: Bearer s3cret\r\n").starts_with("HTTP/1.1 200"));
    for open in ["/", "/health", "/openapi.json"] {
        assert!(ask(open, "Host: 127.0.0.1\r\n").starts_with("HTTP/1.1 200"), "{open}");
        assert!(ask(open, "Host: evil.example\r\n").starts_with("HTTP/1.1 421"), "{open}");
    }
}

/// Whether the other end closes within the time; what it said before.
fn closes(stream: &mut TcpStream, within: Duration) -> Option<String> {
    stream.set_read_timeout(Some(within)).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).ok().map(|_| text)
}

#[test]
fn who_is_slow_is_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { timeout: Duration::from_millis(300), ..Settings::default() };
    let server = Running::new(&tiny(&dir, 0), settings);
    let patience = Duration::from_secs(20);
    // A header that trickles, one byte after the other.
    let mut stream = TcpStream::connect(server.address).unwrap();
    let began = Instant::now();
    for byte in b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: ".iter().chain(std::iter::repeat(&b'x')) {
        if stream.write_all(&[*byte]).is_err() || began.elapsed() > patience {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(began.elapsed() < patience, "the header went on for {:?}", began.elapsed());
    // A header that does not come at all.
    assert!(closes(&mut TcpStream::connect(server.address).unwrap(), patience).is_some());
    // A body of which half comes.
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhalf").unwrap();
    let said = closes(&mut stream, patience).unwrap();
    assert!(said.starts_with("HTTP/1.1 408") && said.contains("0.3 s"), "{said}");
    assert_eq!(server.get("/health").0, 200);
}

#[test]
fn a_full_queue_refuses_and_what_it_took_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    // The batch waits for more than can come, so the queue stays full for a while.
    let settings =
        Settings { queue: 4, batch: 100, batch_wait: Duration::from_secs(4), ..Settings::default() };
    let server = Running::new(&tiny(&dir, 0), settings);
    let codes: Vec<(u16, String)> = std::thread::scope(|scope| {
        let ask = |_| scope.spawn(|| server.response("POST", "/predict", "image/png", &picture(0)));
        let asked: Vec<_> = (0..12).map(ask).collect();
        asked.into_iter().map(|one| one.join().unwrap()).map(|(code, head, _)| (code, head)).collect()
    });
    let count = |wanted| codes.iter().filter(|(code, _)| *code == wanted).count();
    assert_eq!((count(200), count(503)), (4, 8), "{codes:?}");
    assert!(codes.iter().all(|(code, head)| *code == 200 || head.contains("retry-after: 1")));
    let metrics = server.text("/metrics");
    assert!(metrics.contains("wellfit_images_total 4"), "{metrics}");
    assert!(metrics.contains("wellfit_images_waiting 0"), "{metrics}");
    assert!(metrics.contains(r#"wellfit_requests_total{path="/predict",code="503"} 8"#), "{metrics}");
    // Together, not one by one.
    let batches = metrics.lines().find_map(|line| line.strip_prefix("wellfit_batch_images_count ")).unwrap();
    assert!(batches.parse::<u32>().unwrap() <= 2, "{metrics}");
    assert_eq!(server.post("/predict", "image/png", &picture(1)).0, 200, "the places are free again");
}

#[test]
fn requests_share_their_memory() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { all_bytes: 1000, ..Settings::default() };
    let server = Running::new(&tiny(&dir, 0), settings);
    let (code, _) = server.post("/predict", "image/png", &[7; 2000]);
    assert_eq!(code, 503);
    assert_eq!(server.post("/predict", "image/png", &[7; 900]).0, 422, "the memory is free again");
}

#[test]
fn requests_that_have_come_are_answered_when_the_server_ends() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { batch_wait: Duration::from_secs(2), ..Settings::default() };
    let server = Running::new(&tiny(&dir, 0), settings);
    let code = std::thread::scope(|scope| {
        let asked = scope.spawn(|| server.post("/predict", "image/png", &picture(0)).0);
        let began = Instant::now();
        while !server.text("/metrics").contains("wellfit_images_waiting 1") {
            assert!(began.elapsed() < Duration::from_secs(20), "the request never comes");
        }
        server.stop();
        asked.join().unwrap()
    });
    assert_eq!(code, 200);
    server.ended();
}

#[test]
fn new_weights_answer_without_a_dropped_request() {
    let dir = tempfile::tempdir().unwrap();
    let path = tiny(&dir, 0);
    let settings = Settings { reload: Some(Duration::from_millis(50)), ..Settings::default() };
    let server = Running::new(&path, settings);
    let picture = picture(0);
    let ask = || {
        let (code, answer) = server.post("/predict", "image/png", &picture);
        assert_eq!(code, 200);
        best(&answer)
    };
    let old = ask();
    let other = tempfile::tempdir().unwrap();
    std::fs::rename(tiny(&other, 1), &path)
        .or_else(|_| std::fs::copy(tiny(&other, 1), &path).map(drop))
        .unwrap();
    let began = Instant::now();
    while ask() == old {
        assert!(began.elapsed() < Duration::from_secs(20), "the new weights never answer");
    }
    // Weights that cannot be used: the others go on.
    std::fs::write(&path, "no weights").unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(ask(), ask());
    let told = server.ended();
    assert_eq!(told.len(), 2, "{told:?}");
}

/// Damaged requests of every kind: the server goes on. `WELLFIT_REQUESTS` says how many.
#[test]
fn damaged_requests_do_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { timeout: Duration::from_millis(200), ..Settings::default() };
    let server = Running::new(&tiny(&dir, 0), settings);
    let count: u64 = std::env::var("WELLFIT_REQUESTS").map_or(400, |count| count.parse().unwrap());
    let good = client::requests();
    for number in 0..count {
        let request = client::damaged(&good[number as usize % good.len()], number);
        let Ok(mut stream) = TcpStream::connect(server.address) else { panic!("request {number}") };
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let _ = stream.write_all(&request);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let end = stream.read_to_end(&mut answer);
        let timed_out = end.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!timed_out, "request {number} hangs");
        assert!(
            !answer.starts_with(b"HTTP/1.1 500"),
            "request {number}: {}",
            String::from_utf8_lossy(&answer)
        );
    }
    assert_eq!(server.get("/health").0, 200);
    assert_eq!(server.post("/predict", "image/png", &picture(0)).0, 200);
}
