//! `wellfit serve`, as a process of its own.

use crate::bench::Bench;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

#[test]
fn a_run_answers_as_it_predicts_until_it_is_told_to_end() {
    let bench = Bench::new();
    bench.animals();
    bench.run("train animals --model mlp --image-size 16 --epochs 1 --out run").succeeds();
    let predicted = bench.run("predict run animals/cat/0.png --json").succeeds().json();
    let mut server = bench.command("serve run --port 0 --json").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let told: serde_json::Value = serde_json::from_str(&line).unwrap();
    crate::schema::check("serve", &told);
    assert_eq!((&told["model"], told["classes"].is_u64()), (&serde_json::json!("mlp"), true));
    let address = told["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();

    let image = bench.bytes("animals/cat/0.png");
    let mut stream = TcpStream::connect(&address).unwrap();
    let head = format!(
        "POST /predict HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        image.len()
    );
    stream.write_all(&[head.as_bytes(), &image].concat()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let answer: serde_json::Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(answer["predictions"][0]["top"], predicted["predictions"][0]["top"]);

    let taken = address.rsplit(':').next().unwrap();
    bench.refuses(&format!("serve run --port {taken}"), 2, &["cannot listen", "choose another --port"]);
    #[cfg(unix)]
    {
        let id = server.id().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert_eq!(server.wait().unwrap().code(), Some(0));
    }
    let _ = server.kill();
}

#[test]
fn settings_of_a_server_that_cannot_be_are_refused() {
    let bench = Bench::new();
    bench.animals();
    bench.run("train animals --model mlp --image-size 16 --epochs 1 --out run").succeeds();
    bench.write("empty", "\nlater");
    for (line, words) in [
        ("--queue 0", "--queue must be from 1"),
        ("--batch-size 65537", "--batch-size must be from 1 to 65536"),
        ("--timeout 0", "--timeout must be above 0"),
        ("--timeout nan", "--timeout must be above 0"),
        ("--batch-wait 10001", "--batch-wait must be at most"),
        ("--host nowhere", "--host"),
        ("--port 65536", "--port"),
        ("--token-file nothing", "--token-file nothing"),
        ("--token-file empty", "--token-file empty must begin with a line"),
        ("--precision int8 --device wgpu", "--precision int8 is computed on the cpu"),
    ] {
        bench.refuses(&format!("serve run {line}"), 2, &[words]);
    }
    bench.refuses("serve nothing", 5, &["nothing"]);
}
