//! The hub: commits, its cache, tokens, redirects; and the look-up in all caches.

mod server;

use server::{Asked, Server, head, serve};
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;
use wellfit_base::hash::sha256;
use wellfit_fetch::{Event, FetchError, HubFiles, Limits, Name, Place, Repository, Settings, Store};

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const CONFIG: &[u8] = br#"{"architecture": "resnet18"}"#;

/// A whole safetensors file.
fn weights() -> Vec<u8> {
    let header = br#"{"w":{"dtype":"U8","shape":[100000],"data_offsets":[0,100000]}}"#;
    [&(header.len() as u64).to_le_bytes(), &header[..], &[5; 100_000]].concat()
}

fn repository(text: &str) -> Repository {
    match Name::parse(Path::new(text)) {
        Ok(Some(Name::Hub(repository))) => repository,
        other => panic!("{other:?}"),
    }
}

fn settings(url: &str, cache: &Path) -> Settings {
    let mut settings = Settings::from_env(Some(cache.join("own")), false);
    (settings.torchvision_url, settings.hub_url) = (url.to_owned(), url.to_owned());
    (settings.torch, settings.hub) = (Some(cache.join("torch")), Some(cache.join("hub")));
    (settings.offline, settings.hub_offline) = (None, None);
    (settings.proxies, settings.token) = (false, Some("secret".to_owned()));
    let pause = Duration::from_millis(1);
    settings.limits = Limits { stall: Duration::from_secs(2), attempts: 3, pause, ..Limits::default() };
    settings
}

/// What the hub answers: the commit, and for weights where they are.
fn hub(asked: &Asked, elsewhere: &str, weights: &[u8], stream: &mut TcpStream) {
    let commit = format!("X-Repo-Commit: {COMMIT}");
    if asked.path.ends_with("config.json") {
        let etag = "ETag: \"0123456789012345678901234567890123456789\"".to_owned();
        head(stream, "200 OK", &[commit, etag, format!("Content-Length: {}", CONFIG.len())]);
        return stream.write_all(CONFIG).unwrap();
    }
    let lines = [
        commit,
        format!("X-Linked-Etag: \"{}\"", sha256(weights)),
        format!("X-Linked-Size: {}", weights.len()),
        format!("Location: {elsewhere}/blob"),
        "Content-Length: 0".to_owned(),
    ];
    head(stream, "302 Found", &lines);
}

/// A hub whose files lie on another server, which sends `sent`.
fn servers(sent: Vec<u8>) -> (Server, Server) {
    let store = Server::start(move |asked, _, stream| serve(asked, &sent, stream));
    let elsewhere = store.url.clone();
    (Server::start(move |asked, _, stream| hub(asked, &elsewhere, &weights(), stream)), store)
}

fn get(store: &Store, name: &str) -> Result<HubFiles, FetchError> {
    store.hub(&repository(name), &|_| Ok(()), &mut |_| ())
}

#[test]
fn a_model_comes_with_its_config_and_the_token_stays_at_home() {
    let dir = tempfile::tempdir().unwrap();
    let (hub, blobs) = servers(weights());
    let store = Store::new(settings(&hub.url, dir.path()));
    let files = get(&store, "hf:timm/net.a1").unwrap();
    assert_eq!((files.commit.as_str(), files.place), (COMMIT, Place::Downloaded));
    assert_eq!(std::fs::read(&files.weights).unwrap(), weights());
    assert_eq!(std::fs::read(files.config.unwrap()).unwrap(), CONFIG);
    for asked in hub.asked() {
        assert_eq!(asked.header("authorization"), Some("Bearer secret"), "{asked:?}");
    }
    for asked in blobs.asked() {
        assert_eq!(asked.header("authorization"), None, "{asked:?}");
    }
    assert_eq!(blobs.asked().len(), 1);
    assert!(hub.asked()[0].path.ends_with("/timm/net.a1/resolve/main/model.safetensors"));
    assert!(
        hub.asked()[1..].iter().all(|asked| asked.path.contains(COMMIT)),
        "what follows is of one commit"
    );
    // Again: from the cache, without a request.
    assert_eq!(get(&store, "hf:timm/net.a1").unwrap().place, Place::Wellfit);
    assert_eq!(get(&store, &format!("hf:timm/net.a1@{COMMIT}")).unwrap().place, Place::Wellfit);
    assert_eq!((hub.asked().len(), blobs.asked().len()), (3, 1));
}

#[test]
fn wrong_weights_never_get_in() {
    let changed = {
        let mut bytes = weights();
        bytes[50_000] = 6;
        bytes
    };
    for (sent, words) in [
        (changed, "another file: its SHA-256"),
        (weights()[..90_000].to_vec(), "bytes, not 100071"),
        (b"version https://git-lfs.github.com/spec/v1\n".to_vec(), "bytes, not 100071"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let (hub, _blobs) = servers(sent);
        let store = Store::new(settings(&hub.url, dir.path()));
        let problem = get(&store, "hf:a/b").unwrap_err().to_string();
        assert!(problem.contains(words), "{problem}");
        assert!(store.find_hub(&repository("hf:a/b"), &mut |_| ()).is_none());
        let held: Vec<_> = store.held().unwrap();
        assert!(held.iter().all(|path| path.ends_with("config.json")), "{held:?}");
    }
}

/// Without the SHA-256, which the hub gives for large files only, the structure is looked at.
#[test]
fn small_files_that_the_hub_keeps_itself() {
    for (sent, whole) in
        [(weights(), true), (weights()[..weights().len() - 1].to_vec(), false), (vec![], false)]
    {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(move |asked, _, stream| {
            if asked.path.ends_with("config.json") {
                return head(stream, "404 Not Found", &["Content-Length: 0".to_owned()]);
            }
            let length = format!("Content-Length: {}", sent.len());
            head(stream, "200 OK", &[format!("X-Repo-Commit: {COMMIT}"), length, "ETag: \"abc\"".to_owned()]);
            if asked.method == "GET" {
                let _ = stream.write_all(&sent);
            }
        });
        let result = get(&Store::new(settings(&server.url, dir.path())), "hf:a/b");
        assert_eq!(result.is_ok(), whole, "{result:?}");
        if let Ok(files) = result {
            assert_eq!(files.config, None);
        }
    }
}

#[test]
fn a_model_that_is_refused_is_not_downloaded() {
    let dir = tempfile::tempdir().unwrap();
    let (hub, blobs) = servers(weights());
    let store = Store::new(settings(&hub.url, dir.path()));
    let admit = |config: &Path| {
        assert_eq!(std::fs::read(config).unwrap(), CONFIG);
        Err("an unknown network".to_owned())
    };
    let refused = store.hub(&repository("hf:a/b"), &admit, &mut |_| ()).unwrap_err();
    assert_eq!(refused.to_string(), "an unknown network");
    assert!(blobs.asked().is_empty());
}

#[test]
fn answers_of_the_hub_that_bring_nothing() {
    for (status, lines, words) in [
        ("404 Not Found", vec![], "no such model"),
        ("401 Unauthorized", vec!["X-Error-Message: gated repo".to_owned()], "gated repo"),
        ("200 OK", vec!["ETag: \"x\"".to_owned()], "does not say which commit"),
        ("307 Moved", vec!["Location: /a/b/resolve/main/model.safetensors".to_owned()], "more than 10 times"),
        ("500 Broken", vec![], "3 times in a row"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let server = Server::start(move |_, _, stream| {
            head(stream, status, &[&lines[..], &["Content-Length: 0".to_owned()]].concat());
        });
        let problem = get(&Store::new(settings(&server.url, dir.path())), "hf:a/b").unwrap_err().to_string();
        assert!(problem.contains(words), "{status}: {problem}");
    }
}

/// A renamed model is answered by a redirect on the same host.
#[test]
fn a_renamed_model_is_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (blobs_url, blobs) = {
        let store = Server::start(|asked, _, stream| serve(asked, &weights(), stream));
        (store.url.clone(), store)
    };
    let server = Server::start(move |asked, _, stream| match asked.path.strip_prefix("/old/") {
        Some(rest) => {
            head(stream, "307 Moved", &[format!("Location: /new/{rest}"), "Content-Length: 0".to_owned()])
        }
        None => hub(asked, &blobs_url, &weights(), stream),
    });
    let files = get(&Store::new(settings(&server.url, dir.path())), "hf:old/b").unwrap();
    assert_eq!(std::fs::read(files.weights).unwrap(), weights());
    assert_eq!(blobs.asked().len(), 1);
}

/// As `huggingface_hub` lays its cache out: a snapshot is a folder of links to blobs, which are named by their SHA-256.
#[cfg(unix)]
#[test]
fn the_cache_of_hugging_face_is_looked_through() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings("http://127.0.0.1:1", dir.path());
    settings.offline = Some("`offline`".to_owned());
    let model = settings.hub.clone().unwrap().join("models--timm--net.a1");
    let snapshot = model.join("snapshots").join(COMMIT);
    for folder in [&snapshot, &model.join("blobs"), &model.join("refs")] {
        std::fs::create_dir_all(folder).unwrap();
    }
    std::fs::write(model.join("refs/main"), COMMIT).unwrap();
    std::fs::write(model.join("blobs/abc"), CONFIG).unwrap();
    let blob = model.join("blobs").join(sha256(&weights()));
    std::fs::write(&blob, weights()).unwrap();
    let link =
        |from: &str, to: &Path| std::os::unix::fs::symlink(Path::new("../../blobs").join(from), to).unwrap();
    link("abc", &snapshot.join("config.json"));
    link(&sha256(&weights()), &snapshot.join("model.safetensors"));
    let store = Store::new(settings);
    let files = get(&store, "hf:timm/net.a1").unwrap();
    assert_eq!((files.place, &files.weights), (Place::HuggingFace, &snapshot.join("model.safetensors")));
    assert!(files.config.is_some());
    for other in ["hf:timm/net.a2", "hf:timm/net.a1@v2"] {
        assert!(matches!(get(&store, other), Err(FetchError::Offline { .. })));
    }
    // A damaged one is told and left out.
    std::fs::write(&blob, b"spoilt").unwrap();
    let mut damaged = 0;
    let problem = store.hub(&repository("hf:timm/net.a1"), &|_| Ok(()), &mut |event| {
        damaged += usize::from(matches!(event, Event::Damaged { .. }));
    });
    let problem = problem.unwrap_err().to_string();
    assert!(
        problem.contains("`offline` forbids the download") && problem.contains("resolve/main"),
        "{problem}"
    );
    assert_eq!(damaged, 1);
}

#[test]
fn the_folders_of_torch_and_of_wellfit_are_looked_through() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings("http://127.0.0.1:1", dir.path());
    settings.offline = Some("WELLFIT_OFFLINE".to_owned());
    let (own, torch) = (settings.cache.clone().unwrap(), settings.torch.clone().unwrap());
    let file = format!("net-{}.pth", &sha256(b"weights")[..8]);
    let store = Store::new(settings);
    let problem = store.torchvision(&file, &mut |_| ()).unwrap_err().to_string();
    for part in ["WELLFIT_OFFLINE forbids", &format!("http://127.0.0.1:1/{file}"), &own.display().to_string()]
    {
        assert!(problem.contains(part), "{part}: {problem}");
    }
    std::fs::create_dir_all(&torch).unwrap();
    std::fs::write(torch.join(&file), b"weights").unwrap();
    assert_eq!(store.torchvision(&file, &mut |_| ()).unwrap().place, Place::Torch);
    std::fs::create_dir_all(&own).unwrap();
    std::fs::write(own.join(&file), b"spoilt").unwrap();
    let mut damaged = Vec::new();
    let found = store.torchvision(&file, &mut |event| {
        if let Event::Damaged { path, .. } = event {
            damaged.push(path.to_owned());
        }
    });
    assert_eq!((found.unwrap().place, damaged), (Place::Torch, vec![own.join(&file)]));
    assert!(store.verify(&own.join(&file)).result.is_err());
    std::fs::write(own.join(&file), b"weights").unwrap();
    assert_eq!(store.torchvision(&file, &mut |_| ()).unwrap().place, Place::Wellfit);
    assert!(store.torchvision("net.pth", &mut |_| ()).unwrap_err().to_string().contains("8 digits"));
}

/// A damaged file in the own cache is replaced.
#[test]
fn a_spoilt_file_is_brought_again() {
    let dir = tempfile::tempdir().unwrap();
    let (hub, _blobs) = servers(weights());
    let store = Store::new(settings(&hub.url, dir.path()));
    let files = get(&store, "hf:a/b").unwrap();
    std::fs::write(&files.weights, b"spoilt").unwrap();
    assert!(store.verify(&files.weights).result.unwrap_err().contains("SHA-256"));
    assert_eq!(get(&store, "hf:a/b").unwrap().place, Place::Downloaded);
    assert_eq!(std::fs::read(&files.weights).unwrap(), weights());
}

#[test]
fn eight_threads_make_one_download() {
    let dir = tempfile::tempdir().unwrap();
    let slow = Arc::new(Mutex::new(()));
    let content = weights();
    let file = format!("net-{}.pth", &sha256(&content)[..8]);
    let server = Server::start(move |asked, _, stream| {
        let _one = slow.lock().unwrap();
        thread::sleep(Duration::from_millis(200));
        serve(asked, &content, stream);
    });
    let settings = settings(&server.url, dir.path());
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let (settings, file) = (settings.clone(), file.clone());
            thread::spawn(move || Store::new(settings).torchvision(&file, &mut |_| ()).unwrap())
        })
        .collect();
    let found: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(server.asked().len(), 1);
    assert_eq!(found.iter().filter(|found| found.place == Place::Downloaded).count(), 1);
}
