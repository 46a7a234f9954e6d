//! What other tools are told of a run while it goes on.

use crate::bench::Bench;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What was posted: the last part of the path, and the body.
type Posted = Arc<Mutex<Vec<(String, Value)>>>;

/// A server that answers as MLflow's does, and keeps what it is told. Its thread ends with the test.
fn mlflow() -> (String, Posted) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let posted = Posted::default();
    let told = Arc::clone(&posted);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let told = Arc::clone(&told);
            std::thread::spawn(move || serve(stream.unwrap(), &told));
        }
    });
    (address, posted)
}

fn serve(mut stream: TcpStream, told: &Posted) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if reader.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(found) = line.strip_prefix("content-length: ") {
                length = found.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let path = first.split(' ').nth(1).unwrap().strip_prefix("/api/2.0/mlflow/").unwrap().to_owned();
        let (status, answer) = answer(&path, &told.lock().unwrap());
        told.lock().unwrap().push((path, body));
        let answer = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            answer.len()
        );
        stream.write_all(format!("{head}{answer}").as_bytes()).unwrap();
    }
}

fn answer(path: &str, before: &[(String, Value)]) -> (&'static str, Value) {
    let made = before.iter().any(|(path, _)| path == "runs/create");
    match path {
        "experiments/create" if made => {
            ("400 Bad Request", json!({ "error_code": "RESOURCE_ALREADY_EXISTS", "message": "there" }))
        }
        "experiments/create" => ("200 OK", json!({ "experiment_id": "7" })),
        "experiments/search" => ("200 OK", json!({ "experiments": [{ "experiment_id": "7" }] })),
        "runs/search" if made => ("200 OK", json!({ "runs": [{ "info": { "run_id": "abc" } }] })),
        "runs/search" | "runs/log-batch" | "runs/update" => ("200 OK", json!({})),
        "runs/create" => ("200 OK", json!({ "run": { "info": { "run_id": "abc" } } })),
        other => panic!("{other}"),
    }
}

#[test]
fn mlflow_and_tensorboard_hear_of_every_epoch_also_of_a_resumed_run() {
    let bench = Bench::new();
    bench.animals();
    let (address, posted) = mlflow();
    let line = format!(
        "train animals --model mlp --image-size 16 --epochs 2 --out run --tensorboard --mlflow {address}/"
    );
    bench.run(&line).succeeds();
    bench.run("resume run --epochs 3").succeeds();
    let posted = posted.lock().unwrap();
    let of = |wanted: &str| {
        posted.iter().filter(|(path, _)| path == wanted).map(|(_, body)| body).collect::<Vec<_>>()
    };
    assert_eq!(of("runs/create").len(), 1, "the resumed run goes on in its place");
    assert_eq!(of("experiments/create")[0], &json!({ "name": "animals" }));
    assert_eq!(of("runs/create")[0]["experiment_id"], "7");
    let id = bench.toml("run/run.toml")["id"].as_str().unwrap().to_owned();
    assert!(
        of("runs/create")[0]["tags"]
            .as_array()
            .unwrap()
            .contains(&json!({ "key": "wellfit.run", "value": id }))
    );
    let statuses: Vec<&Value> = of("runs/update").iter().map(|body| &body["status"]).collect();
    assert_eq!(statuses, ["FINISHED", "RUNNING", "FINISHED"]);
    let batches = of("runs/log-batch");
    let parameters: Vec<&Value> =
        batches.iter().filter_map(|body| body["params"].as_array()).flatten().collect();
    assert!(parameters.contains(&&json!({ "key": "model", "value": "mlp" })), "{parameters:?}");
    assert!(batches.iter().all(|body| body["params"].as_array().map_or(0, Vec::len) <= 100));
    let metrics: Vec<&Value> =
        batches.iter().filter_map(|body| body["metrics"].as_array()).flatten().collect();
    let told = |key: &str| -> Vec<(u64, f64)> {
        let of_key = metrics.iter().filter(|metric| metric["key"] == key);
        of_key.map(|metric| (metric["step"].as_u64().unwrap(), metric["value"].as_f64().unwrap())).collect()
    };
    let epochs = bench.events("run", "epoch");
    let recorded: Vec<(u64, f64)> = epochs
        .iter()
        .map(|epoch| (epoch["epoch"].as_u64().unwrap(), epoch["val_loss"].as_f64().unwrap()))
        .collect();
    assert_eq!((told("val_loss"), recorded.len()), (recorded.clone(), 3));
    assert_eq!(told("step/loss").len(), bench.lines("run/steps.jsonl").len());

    // The file that grew is the file that is made from the whole record.
    bench.run("export run --format tensorboard --out exported").succeeds();
    let name = bench.names("exported").pop().unwrap();
    assert!(bench.bytes(&format!("run/{name}")) == bench.bytes(&format!("exported/{name}")), "{name}");
}

#[test]
fn a_server_that_is_not_there_stops_no_training() {
    let bench = Bench::new();
    bench.animals();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let line =
        format!("train animals --model mlp --image-size 16 --epochs 1 --out run --mlflow http://{free}");
    bench.run(&line).succeeds().warns("MLflow is not told of the run any more");
    assert!(bench.has("run/report.html"));
    for wrong in ["localhost:5000", "http://me:secret@host", "http://"] {
        bench.refuses(
            &format!("train animals --mlflow {wrong} --out other"),
            2,
            &["--mlflow must be an address"],
        );
    }
}
