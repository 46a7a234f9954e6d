//! Every command of the guide, on small data; every picture of a log; every link of the documents.
//!
//! `WELLFIT_GUIDE=full` leaves the commands as they are written (`just guide-test`).

use crate::bench::{Bench, Outcome};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// Options that make commands small, in place of theirs; the first that a command begins with.
const SMALL: &[(&str, &str)] = &[
    ("train sample", "--model mlp --epochs 1"),
    ("train clothes", "--model mlp --image-size 16 --epochs 2"),
    ("train photos --epochs", "--model mlp --image-size 16 --epochs 2"),
    ("train photos --lr", "--model mlp --image-size 16 --epochs 2"),
    ("train photos --imgsz", "--model mlp --image-size 16 --epochs 2"),
    ("train", "--image-size 32 --epochs 2"),
    ("prove sample", "--model mlp --epochs 1"),
    ("prove photos --model", "--model mlp --image-size 16 --epochs 1"),
    ("prove", "--recipe textbook --model mlp --image-size 16 --epochs 1"),
    ("check", "--image-size 32"),
    ("lr-find", "--image-size 32 --steps 20"),
    ("lab batchnorm", "--data digits --batch-size 20 --epochs 1"),
    ("lab dropout", "--epochs 60"),
    ("lab transfer", "--model mlp --image-size 16 --epochs 6"),
    ("verify-resume", "--model mlp --image-size 16 --epochs 2"),
];

/// Logs that other tools wrote themselves, and where the guide has them.
const LOGS: [(&str, &str); 3] = [
    ("keras-training.log", "keras.csv"),
    ("fastai-history.csv", "fastai.csv"),
    ("ultralytics-results.csv", "ultralytics.csv"),
];

macro_rules! pages {
    ($($test:ident = $page:literal,)*) => {
        /// The pages whose commands are run.
        const PAGES: &[&str] = &[$($page),*];
        $(#[test] fn $test() { run_page($page); })*
    };
}

pages! {
    introduction = "introduction.md",
    first_model = "first-model.md",
    batchnorm = "experiments/batchnorm.md",
    dropout = "experiments/dropout.md",
    stopping = "experiments/stopping.md",
    findings = "findings.md",
    after = "after.md",
    from_pytorch = "from/pytorch.md",
    from_keras = "from/keras.md",
    from_fastai = "from/fastai.md",
    from_ultralytics = "from/ultralytics.md",
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn guide() -> PathBuf {
    repository().join("guide")
}

/// The Markdown files of a folder and of those in it.
fn markdown(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let of = |path: PathBuf| match path.is_dir() {
        true => markdown(&path),
        false => Vec::from_iter(Some(path).filter(|path| path.extension().is_some_and(|end| end == "md"))),
    };
    entries.into_iter().flat_map(of).collect()
}

/// The commands of a page: those in blocks of `sh`, without remarks, with the heading above them.
fn commands(page: &str) -> Vec<(String, String)> {
    let (mut found, mut heading, mut inside) = (Vec::new(), String::new(), false);
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside && line == "```sh";
        } else if inside {
            let command = line.split(" #").next().unwrap_or_default().trim();
            found.extend((!command.is_empty()).then(|| (heading.clone(), command.to_owned())));
        } else if let Some(title) = line.strip_prefix("## ") {
            title.clone_into(&mut heading);
        }
    }
    found
}

/// The pictures and files that the guide's commands read.
fn material() -> Bench {
    let bench = Bench::new();
    bench.digits("digits", 40, 10);
    let classes = ["animals", "food", "town"];
    for (part, numbers) in [("train", 0..8), ("test", 20..23), ("val", 30..32)] {
        for number in numbers {
            for (class, name) in classes.iter().enumerate() {
                let bytes = crate::material::picture(class, number);
                if part != "val" {
                    bench.write(&format!("photos/{part}/{name}/{:03}.png", number % 20), &bytes);
                }
                bench.write(&format!("clothes/{part}/{name}/{number:03}.png"), &bytes);
            }
        }
    }
    for entry in fs::read_dir(guide().join("logs")).unwrap() {
        let path = entry.unwrap().path();
        bench.write(&format!("logs/{}", path.file_name().unwrap().display()), fs::read(&path).unwrap());
    }
    for (written, name) in LOGS {
        let path = repository().join("crates/diagnose/tests/fixtures/logs").join(written);
        bench.write(&format!("logs/{name}"), fs::read(path).unwrap());
    }
    bench
}

#[track_caller]
fn run_page(page: &str) {
    let (bench, mut server) = (material(), None);
    let found = commands(&fs::read_to_string(guide().join(page)).unwrap());
    assert!(!found.is_empty(), "{page} has no command");
    for (heading, command) in found {
        match command.split_once(' ').unwrap() {
            ("wellfit", line) if line.starts_with("serve ") => server = Some(Server::start(&bench, line)),
            ("wellfit", line) => {
                let outcome = bench.run(&small(line)).succeeds();
                if line.contains("diagnose logs/") && page == "findings.md" {
                    is_shown(&bench, &heading, line, outcome);
                }
            }
            ("curl", line) => server.as_ref().unwrap().answers(&bench, line),
            _ => panic!("{page}: {command}: only wellfit and curl can be run; give another block than sh"),
        }
    }
}

/// What stands on the page of findings is found, and its picture is the page's.
#[track_caller]
fn is_shown(bench: &Bench, finding: &str, line: &str, outcome: Outcome) {
    outcome.says(&format!("\n{finding}"));
    let picture = line.split_once("--picture ").unwrap().1;
    assert_eq!(picture, format!("{finding}.svg"));
    let shown = fs::read_to_string(guide().join("pictures").join(picture)).unwrap();
    assert!(bench.text(picture) == shown, "{picture} is another one: run scripts/guide_pictures.py");
}

/// A command with the options that make it small.
fn small(line: &str) -> String {
    let options = SMALL.iter().find(|(begin, _)| line.starts_with(begin));
    let Some((_, options)) = options.filter(|_| std::env::var_os("WELLFIT_GUIDE").is_none()) else {
        return line.to_owned();
    };
    let mut words: Vec<&str> = line.split_whitespace().collect();
    for option in options.split("--").skip(1) {
        let (name, value) = option.trim().split_once(' ').unwrap();
        match words.iter().position(|word| word.strip_prefix("--") == Some(name) || is_same(word, name)) {
            Some(place) => words[place + 1] = value,
            None => words
                .extend([&options[options.find(&format!("--{name}")).unwrap()..][..name.len() + 2], value]),
        }
    }
    words.join(" ")
}

/// Ultralytics' word for the size of images.
fn is_same(word: &str, name: &str) -> bool {
    word == "--imgsz" && name == "image-size"
}

/// `wellfit serve` in the background.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(bench: &Bench, line: &str) -> Self {
        let mut command = bench.command(&format!("{line} --port 0 --json"));
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut told = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut told).unwrap();
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let address = told["url"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        Self { process, address }
    }

    /// What `curl` with these words would ask is answered.
    #[track_caller]
    fn answers(&self, bench: &Bench, line: &str) {
        let path = line.split_once("http://127.0.0.1:8000").unwrap().1;
        let file = line.strip_prefix("--data-binary @").map(|rest| rest.split(' ').next().unwrap());
        let (method, body) = file.map_or(("GET", Vec::new()), |file| ("POST", bench.bytes(file)));
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(&[head.as_bytes(), &body].concat()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{line}: {}", String::from_utf8_lossy(&answer));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn every_page_with_commands_is_run() {
    let english = markdown(&guide()).into_iter().filter(|page| !page.starts_with(guide().join("ko")));
    let with: BTreeSet<String> = english
        .filter(|page| !commands(&fs::read_to_string(page).unwrap()).is_empty())
        .map(|page| page.strip_prefix(guide()).unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(with, PAGES.iter().map(|&page| page.to_owned()).collect());
}

#[test]
fn the_korean_pages_have_the_english_ones_commands() {
    let of =
        |page: &Path| commands(&fs::read_to_string(page).unwrap()).into_iter().map(|(_, command)| command);
    for page in markdown(&guide().join("ko")) {
        let name = page.strip_prefix(guide().join("ko")).unwrap();
        let english: Vec<String> = match guide().join(name) {
            same if same.exists() && !name.starts_with("from") => of(&same).collect(),
            _ => markdown(&guide().join("from")).iter().flat_map(|page| of(page)).collect(),
        };
        assert_eq!(of(&page).collect::<Vec<_>>(), english, "{}", name.display());
    }
}

#[test]
fn every_finding_has_its_section_in_both_languages() {
    let names: Vec<&str> = wellfit::diagnose::Name::ALL.iter().map(|name| name.name()).collect();
    for page in ["findings.md", "ko/findings.md"] {
        let text = fs::read_to_string(guide().join(page)).unwrap();
        let sections: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(sections, names, "{page}");
        for name in &names {
            assert!(text.contains(&format!("pictures/{name}.")), "{page}: no picture of {name}");
        }
    }
}

/// Where a page links to: `](…)` and `src="…"`, outside of code.
fn links(page: &str) -> Vec<String> {
    let (mut found, mut inside) = (Vec::new(), false);
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside;
        }
        let prose: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for (begin, end) in [("](", ')'), ("src=\"", '"'), ("srcset=\"", '"')] {
            let parts = prose.split(begin).skip(1).filter(|_| !inside);
            found.extend(parts.filter_map(|rest| Some(rest.split_once(end)?.0.to_owned())));
        }
    }
    found
}

/// The anchors of a page's headings, as GitHub and mdBook make them.
fn anchors(page: &str) -> Vec<String> {
    let titles = page.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#'));
    let anchor = |title: &str| {
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    titles.map(anchor).collect()
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let root = repository();
    let mut pages = [markdown(&guide()), markdown(&root.join("docs"))].concat();
    pages.extend(
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "python/README.md"].map(|name| root.join(name)),
    );
    let mut dead = Vec::new();
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text).into_iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            let found = target.exists()
                && (anchor.is_empty()
                    || anchors(&fs::read_to_string(&target).unwrap()).contains(&anchor.to_owned()));
            dead.extend((!found).then(|| format!("{}: {link}", page.strip_prefix(&root).unwrap().display())));
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn the_guides_pictures_are_all_shown_and_small() {
    let shown: BTreeSet<PathBuf> = markdown(&guide())
        .iter()
        .flat_map(|page| {
            let text = fs::read_to_string(page).unwrap();
            links(&text).into_iter().filter_map(|link| page.parent().unwrap().join(link).canonicalize().ok())
        })
        .collect();
    let mut bytes = 0;
    for entry in fs::read_dir(guide().join("pictures")).unwrap() {
        let path = entry.unwrap().path().canonicalize().unwrap();
        assert!(shown.contains(&path), "{} is on no page", path.display());
        bytes += fs::metadata(&path).unwrap().len();
    }
    assert!(bytes < 2 << 20, "{bytes} bytes");
}
