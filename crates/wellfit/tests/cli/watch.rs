//! `wellfit watch`, as a process of its own, beside one that trains.

use crate::bench::Bench;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(60);

/// A process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Pages {
    _program: Running,
    address: String,
    token: String,
}

impl Pages {
    fn of(bench: &Bench, line: &str) -> Self {
        let mut program =
            Running(bench.command(&format!("watch {line} --json")).stdout(Stdio::piped()).spawn().unwrap());
        let mut told = String::new();
        BufReader::new(program.0.stdout.as_mut().unwrap()).read_line(&mut told).unwrap();
        let told: Value = serde_json::from_str(&told).unwrap();
        crate::schema::check("watch", &told);
        let url = told["url"].as_str().unwrap().strip_prefix("http://").unwrap();
        let (address, token) = url.trim_end_matches('/').split_once('/').unwrap();
        Self { address: address.to_owned(), token: token.to_owned(), _program: program }
    }

    fn stream(&self, method: &str, path: &str, host: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        stream
    }

    fn answer(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut answer = String::new();
        self.stream(method, path, &self.address, body).read_to_string(&mut answer).unwrap();
        (answer[9..12].parse().unwrap(), answer)
    }

    fn get(&self, path: &str) -> (u16, String) {
        self.answer("GET", &format!("/{}/{path}", self.token), "")
    }

    fn ask(&self, what: &Value) -> (u16, String) {
        self.answer("POST", &format!("/{}/ask", self.token), &what.to_string())
    }

    /// The news until they are as wanted.
    #[track_caller]
    fn news(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let stream = self.stream("GET", &format!("/{}/events", self.token), &self.address, "");
        let began = Instant::now();
        let mut last = Value::Null;
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if let Some(data) = line.strip_prefix("data: ") {
                last = serde_json::from_str(data).unwrap();
                if wanted(&last) {
                    return last;
                }
            }
            assert!(began.elapsed() < LIMIT, "{last}");
        }
        panic!("the news ended with {last}");
    }
}

#[test]
fn who_does_not_know_the_token_sees_nothing() {
    let bench = Bench::new();
    bench.animals();
    bench.run("train animals --model mlp --image-size 16 --epochs 2 --out runs/<b>").succeeds();
    let pages = Pages::of(&bench, "");
    assert!(pages.token.len() == 32 && pages.address.starts_with("127.0.0.1:"));
    for path in ["/", "/events", &format!("/{}", "0".repeat(32)), &format!("/{}x/", pages.token)] {
        assert_eq!(pages.answer("GET", path, "").0, 404, "{path}");
    }
    let mut answer = String::new();
    let path = format!("/{}/", pages.token);
    pages.stream("GET", &path, "evil.example", "").read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 421"), "{answer}");
    let (code, list) = pages.get("");
    assert!(
        code == 200 && list.contains("id=\"runs\"") && list.contains("referrer-policy: no-referrer"),
        "{list}"
    );
    let news = pages.news(|_| true);
    assert_eq!(
        (&news[0]["name"], &news[0]["state"], &news[0]["epochs"]),
        (&json!("<b>"), &json!("finished"), &json!([2, 2]))
    );
    let (code, page) = pages.get("run?name=%3Cb%3E");
    assert!(
        code == 200 && page.contains("connect-src 'self'") && page.contains("id=\"stop\" hidden"),
        "{code}"
    );
    assert!(!page.contains("<b>"), "names are text");
    for name in ["..", "..%2Fanimals", "nothing", ""] {
        assert_eq!(pages.get(&format!("run?name={name}")).0, 404, "{name}");
    }
    let (code, why) = pages.ask(&json!({ "name": "<b>", "action": "stop" }));
    assert!(code == 409 && why.contains("no process trains it"), "{why}");
    for (wrong, status) in
        [(json!({ "name": "<b>" }), 400), (json!({ "name": "none", "action": "stop" }), 404)]
    {
        assert_eq!(pages.ask(&wrong).0, status, "{wrong}");
    }
}

#[test]
fn what_is_asked_in_the_browser_is_done_and_recorded() {
    let bench = Bench::new();
    bench.animals();
    let line = "train animals --model mlp --image-size 16 --epochs 100000 --out runs/long --lr 0.001 --quiet";
    let mut training = Running(bench.command(line).spawn().unwrap());
    let pages = Pages::of(&bench, "runs");
    let news = pages.news(|news| news[0]["epochs"][0].as_u64() > Some(0));
    assert_eq!((&news[0]["state"], &news[0]["steerable"]), (&json!("running"), &json!(true)));
    let (code, why) = pages.ask(&json!({ "name": "long", "action": "lower_rate", "factor": 2.0 }));
    assert!(code == 409 && why.contains("below 1"), "{why}");
    for request in [
        json!({ "name": "long", "action": "lower_rate", "factor": 0.5 }),
        json!({ "name": "long", "action": "stop" }),
    ] {
        let began = Instant::now();
        // The one before may still wait for the end of a step.
        while pages.ask(&request).0 != 202 {
            assert!(began.elapsed() < LIMIT);
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    assert_eq!(training.0.wait().unwrap().code(), Some(0), "it ends as any run");
    let asked = bench.events("runs/long", "requested");
    let actions: Vec<&Value> = asked.iter().map(|event| &event["request"]["action"]).collect();
    assert_eq!(actions, ["lower_rate", "stop"]);
    let step = |event: &Value| event["step"].as_u64().unwrap();
    let (lowered, stopped) = (step(&asked[0]), step(&asked[1]));
    let steps = bench.lines("runs/long/steps.jsonl");
    assert_eq!(steps.len() as u64, stopped, "no step more");
    for row in steps {
        assert_eq!(row["lr"], json!(if step(&row) <= lowered { 0.001 } else { 0.0005 }), "{row}");
    }
    assert!(!bench.has("runs/long/request.json") && bench.has("runs/long/report.html"));
    let news = pages.news(|news| news[0]["state"] == "callback");
    assert_eq!(news[0]["steerable"], json!(false));
    bench.run("verify runs/long").succeeds();
    bench.run("diagnose runs/long --json").succeeds().json();
    let page = bench.text("runs/long/report.html");
    assert!(page.contains(&format!("asked to stop here: done after step {stopped}")));
}
