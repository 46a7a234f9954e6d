//! Pretrained weights by name, from a server on this machine.

use crate::bench::Bench;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;
use wellfit::base::hash::sha256;

#[path = "../../../fetch/tests/server/mod.rs"]
mod server;
use server::{Asked, Server, head, serve};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A hub with one model, whose weights come a little at a time.
fn hub(config: &'static str, weights: Vec<u8>, pause: Duration) -> Server {
    let sum = sha256(&weights);
    Server::start(move |asked, _, stream| {
        let told = [
            format!("X-Repo-Commit: {COMMIT}"),
            format!("X-Linked-Etag: \"{sum}\""),
            format!("X-Linked-Size: {}", weights.len()),
        ];
        if asked.path.ends_with("config.json") {
            return serve(asked, config.as_bytes(), stream);
        }
        if asked.method == "HEAD" {
            return head(stream, "200 OK", &[&told[..], &["Content-Length: 0".to_owned()]].concat());
        }
        let (start, end) = (asked.start(), weights.len());
        let (status, range) = match start {
            0 => ("200 OK", None),
            _ => ("206 Partial Content", Some(format!("Content-Range: bytes {start}-{}/{end}", end - 1))),
        };
        let lines = [
            vec![format!("Content-Length: {}", end - start), "ETag: \"x\"".to_owned()],
            range.into_iter().collect(),
        ];
        head(stream, status, &lines.concat());
        for chunk in weights[start..].chunks(1 << 17) {
            if stream.write_all(chunk).is_err() {
                return;
            }
            sleep(pause);
        }
    })
}

/// Gets of the weights.
fn gets(server: &Server) -> Vec<Asked> {
    let asked = server.asked().into_iter();
    asked.filter(|asked| asked.method == "GET" && asked.path.ends_with(".safetensors")).collect()
}

/// A safetensors file of `bytes` bytes of data, none like the other.
fn weights(bytes: usize) -> Vec<u8> {
    let header = format!(r#"{{"w":{{"dtype":"U8","shape":[{bytes}],"data_offsets":[0,{bytes}]}}}}"#);
    let data = (0..bytes as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8);
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data.collect::<Vec<u8>>()].concat()
}

/// The files called `name` somewhere in `folder`.
fn find(folder: &Path, name: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    let found = paths.flat_map(|path| if path.is_dir() { find(&path, name) } else { vec![path] });
    found.filter(|path| path.file_name().is_some_and(|file| file == name)).collect()
}

fn fetching(bench: &Bench, server: &Server) -> std::process::Command {
    let mut command = bench.command("weights fetch hf:a/b");
    command.env("HF_ENDPOINT", &server.url).env_remove("HF_HUB_OFFLINE").env_remove("WELLFIT_OFFLINE");
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// Whatever the moment, what is in the cache under its name is right, and the next process goes on.
#[test]
fn a_download_killed_at_fifty_moments_is_gone_on_with() {
    let bench = Bench::new();
    let content = weights(8 << 20);
    let server = hub("{}", content.clone(), Duration::from_millis(3));
    let began = std::time::Instant::now();
    let whole = fetching(&bench, &server).env("XDG_CACHE_HOME", bench.path("other")).output().unwrap();
    assert!(whole.status.success());
    let whole = began.elapsed().as_micros() as u64;
    let cache = bench.path("cache");
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut kills = 0;
    while kills < 50 {
        let mut child = fetching(&bench, &server).env("XDG_CACHE_HOME", &cache).spawn().unwrap();
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        sleep(Duration::from_micros(random % whole));
        let running = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        kills += u32::from(running);
        for path in find(&cache, "model.safetensors") {
            assert!(std::fs::read(&path).unwrap() == content, "a wrong file after {kills} kills");
            std::fs::remove_file(path).unwrap();
        }
    }
    let output = fetching(&bench, &server).env("XDG_CACHE_HOME", &cache).output().unwrap();
    assert!(output.status.success());
    let path = String::from_utf8(output.stdout).unwrap();
    assert!(std::fs::read(path.trim()).unwrap() == content);
    let resumed = gets(&server).iter().filter(|asked| asked.start() > 0).count();
    // Few of the moments are in the middle of a download where the machine is busy.
    assert!(resumed >= 3, "{resumed} of {} downloads went on", gets(&server).len());
}

#[test]
fn eight_processes_make_one_download() {
    let bench = Bench::new();
    let server = hub("{}", weights(4 << 20), Duration::from_millis(10));
    let children: Vec<_> = (0..8).map(|_| fetching(&bench, &server).spawn().unwrap()).collect();
    let outputs: Vec<_> = children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    assert!(outputs.iter().all(|output| output.status.success() && output.stdout == outputs[0].stdout));
    assert_eq!(gets(&server).len(), 1);
}

#[test]
fn a_run_starts_from_a_model_of_the_hub() {
    let bench = Bench::new();
    bench.animals();
    bench.weights("theirs.safetensors", "resnet20", 5);
    let bytes = std::fs::read(bench.path("theirs.safetensors")).unwrap();
    let config = r#"{"architecture": "resnet20", "pretrained_cfg": {"input_size": [3, 24, 24],
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "interpolation": "bicubic", "crop_pct": 0.9}}"#;
    let server = hub(config, bytes, Duration::ZERO);
    let run = |line: &str| {
        let mut command = bench.command(line);
        command.env("HF_ENDPOINT", &server.url).env_remove("HF_HUB_OFFLINE").env_remove("WELLFIT_OFFLINE");
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
        (output.status.code(), text)
    };
    let (code, text) = run("train animals --weights hf:a/b --epochs 1 --batch-size 4 --out new");
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("Downloading http://127.0.0.1") && text.contains("new one with"), "{text}");
    let toml = std::fs::read_to_string(bench.path("new/run.toml")).unwrap();
    for part in [&format!("weights = \"hf:a/b@{COMMIT}\""), "model = \"resnet20\"", "image_size = 24"] {
        assert!(toml.contains(part), "{part}: {toml}");
    }
    let requests = server.asked().len();
    let (code, text) = run("weights path hf:a/b");
    assert!(code == Some(0) && text.trim().ends_with("model.safetensors"), "{text}");
    let (code, text) = run("evaluate hf:a/b animals --classes a,b,c,cat,dog --offline");
    assert!(code != Some(2) && !text.contains("not on this machine"), "{text}");
    let (code, text) = run("export hf:a/b --format pth");
    assert!(code == Some(0) && bench.path("export/model.pth").is_file(), "{text}");
    let (code, text) = run("weights verify");
    assert!(code == Some(0) && text.matches("whole").count() == 2, "{text}");
    let (_, text) = run("weights list");
    assert!(text.contains(&format!("hf:a/b@{COMMIT}")) && text.contains("resnet50-11ad3fa6.pth"), "{text}");
    for line in
        ["resume new --epochs 2", "train animals --weights hf:a/b --batch-size 4 --resume new --epochs 3"]
    {
        let (code, text) = run(line);
        assert!(code == Some(0) && text.contains("Epoch"), "{line}: {text}");
    }
    assert_eq!(server.asked().len(), requests, "all of it was in the cache");
    let copies = find(&bench.path("."), "model.safetensors");
    let copies = copies.iter().filter(|path| !path.starts_with(bench.path("new")));
    assert_eq!(copies.count(), 0, "weights by name are not copied into the folder");
}

/// One clear error with the address, the place and the alternatives, and nothing is left behind.
#[test]
fn offline_and_absent() {
    let bench = Bench::new();
    bench.animals();
    let parts = [
        "resnet18-f37072fd.pth is not on this machine, and --offline forbids the download",
        "https://download.pytorch.org/models/resnet18-f37072fd.pth",
        "wellfit/weights",
        "torch/hub/checkpoints",
        "WELLFIT_WEIGHTS_URL",
        "or give the path of a file",
    ];
    bench.refuses("train animals --weights imagenet --model resnet18 --offline", 4, &parts);
    bench.refuses("evaluate imagenet animals --model resnet18 --offline", 4, &parts);
    bench.refuses("train nowhere --weights imagenet --model resnet18 --offline", 4, &parts[..1]);
    let never =
        ["resnet18-f37072fd.pth is not on this machine, and `weights path`, unlike `weights fetch`, forbids"];
    bench.refuses("weights path imagenet --model resnet18", 4, &never);
    bench.refuses(
        "weights fetch hf:timm/x --offline",
        4,
        &["hf:timm/x is not on this machine", "HF_ENDPOINT"],
    );
    bench.refuses("weights fetch imagenet-v2 --model resnet18", 2, &["no V2 weights for resnet18"]);
    bench.refuses("weights fetch imagenet", 2, &["--model"]);
    bench.refuses("weights fetch imagenet --model resnet99", 2, &["resnet99"]);
    bench.refuses("weights fetch photos.pth", 2, &["no name of weights"]);
    bench.refuses("train animals --weights hf:a/b/c", 2, &["hf:ORG/NAME"]);
}
