//! Folders of images: torchvision's order, and what is wrong with them in words.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../parity/table.rs"]
mod table;

use std::fs;
use std::path::Path;

use wellfit_data::DataError;
use wellfit_data::image_folder::scan;
use wellfit_data::open::check::check_files;

/// Empty files by path, with the folders they need.
fn tree(files: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for file in files {
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    dir
}

fn message(dir: &Path) -> String {
    scan(dir).unwrap_err().to_string()
}

/// The order was checked against torchvision's `ImageFolder`: whole folder paths sort, so `cat/a-b/` comes before
/// `cat/a/`'s children, and files of a folder come before its sub-folders.
#[test]
fn order_is_torchvisions() {
    let dir = tree(&[
        "dog/2.JPG",
        "dog/10.jpg",
        "dog/notes.txt",
        "cat/z.png",
        "cat/a/1.webp",
        "cat/a/b/1.bmp",
        "cat/a-b/1.tif",
        "cat/B.jpeg",
        "cat/b.ppm",
        "Zebra/.hidden.pgm",
        ".git/x.png",
        "cat/.ipynb_checkpoints/z.png",
        "readme.png",
    ]);
    let found = scan(dir.path()).unwrap();
    assert_eq!(found.classes, ["Zebra", "cat", "dog"]);
    let names = found.files.iter().map(|(path, label)| (path.strip_prefix(dir.path()).unwrap(), *label));
    let want = [
        ("Zebra/.hidden.pgm", 0),
        ("cat/B.jpeg", 1),
        ("cat/b.ppm", 1),
        ("cat/z.png", 1),
        ("cat/a/1.webp", 1),
        ("cat/a-b/1.tif", 1),
        ("cat/a/b/1.bmp", 1),
        ("dog/10.jpg", 2),
        ("dog/2.JPG", 2),
    ];
    assert_eq!(names.collect::<Vec<_>>(), want.map(|(path, label)| (Path::new(path), label)));
}

#[test]
fn a_wrong_layout_is_explained() {
    let flat = tree(&["1.jpg", "2.jpg", "notes.txt"]);
    assert!(message(flat.path()).contains("holds 2 images but no sub-folders"), "{}", message(flat.path()));
    let lonely = tree(&["cat/1.jpg"]);
    assert!(message(lonely.path()).contains("only one class, ‘cat’"), "{}", message(lonely.path()));
    let hollow = tree(&["cat/1.jpg", "dog/notes.txt"]);
    assert!(message(hollow.path()).contains("dog holds no images"), "{}", message(hollow.path()));
    assert!(matches!(scan(&flat.path().join("1.jpg")), Err(DataError::NotAFolder(_))));
    assert!(message(&flat.path().join("nowhere")).contains("nowhere"));
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_named() {
    use std::os::unix::fs::symlink;
    let dir = tree(&["cat/1.jpg", "dog/1.jpg", "more/2.jpg"]);
    let outside = tree(&["3.jpg"]);
    symlink(outside.path(), dir.path().join("dog/linked")).unwrap();
    symlink(dir.path().join("more"), dir.path().join("cat/linked")).unwrap();
    assert_eq!(scan(dir.path()).unwrap().files.len(), 5);
    symlink(dir.path(), dir.path().join("more/up")).unwrap();
    let message = message(dir.path());
    assert!(message.contains("up") && message.contains("leads back to"), "{message}");
}

/// Not a silently smaller dataset: a class, a folder of images, an image that is a link to nothing or to itself.
#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_named() {
    use std::os::unix::fs::symlink;
    let dir = tree(&["cat/1.jpg", "dog/1.jpg"]);
    for (link, to) in [("owl", "/no/such/folder"), ("dog/more", "more"), ("cat/deep", "/no/such/folder")] {
        let link = dir.path().join(link);
        symlink(to, &link).unwrap();
        let message = message(dir.path());
        assert!(message.contains(&format!("cannot read or write {}: ", link.display())), "{message}");
        fs::remove_file(&link).unwrap();
    }
    symlink("2.png", dir.path().join("cat/2.png")).unwrap();
    symlink("/no/such/file", dir.path().join("cat/.#lock")).unwrap();
    symlink("/no/such/file", dir.path().join("dog/2.png")).unwrap();
    let bad = check_files(&scan(dir.path()).unwrap().files);
    let reasons: Vec<&str> = bad.iter().map(|bad| &bad.reason[..]).collect();
    assert!(
        reasons[1].contains("levels of symbolic links") && reasons[3].contains("No such file"),
        "{reasons:?}"
    );
}

/// Twenty folders, each with two links to the next: a million paths.
#[cfg(unix)]
#[test]
fn a_maze_of_links_has_an_end() {
    use std::os::unix::fs::symlink;
    let dir = tree(&["a/1.jpg", "b/1.jpg"]);
    let maze = tempfile::tempdir().unwrap();
    let room = |number: usize| maze.path().join(number.to_string());
    for number in 0..20 {
        fs::create_dir(room(number)).unwrap();
        for door in ["x", "y"] {
            symlink(room(number + 1), room(number).join(door)).unwrap();
        }
    }
    fs::create_dir(room(20)).unwrap();
    symlink(room(0), dir.path().join("b/maze")).unwrap();
    let message = message(dir.path());
    assert!(message.contains("/b/maze/") && message.contains("more than 64 links"), "{message}");
}

/// A pipe is waited for without end, a device read without end.
#[cfg(target_os = "linux")]
#[test]
fn pipes_and_devices_are_no_images() {
    let dir = tree(&["a/1.jpg", "b/1.jpg"]);
    std::os::unix::fs::symlink("/dev/zero", dir.path().join("a/2.png")).unwrap();
    let pipe = dir.path().join("b/2.png");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let bad = check_files(&scan(dir.path()).unwrap().files);
    assert_eq!(bad.iter().filter(|bad| bad.reason.contains("where a file belongs")).count(), 2, "{bad:?}");
}

#[test]
fn bad_files_are_found_in_order() {
    let dir = tree(&["a/1.jpg", "b/1.jpg"]);
    fs::write(dir.path().join("a/2.png"), "<html>not found</html>").unwrap();
    fs::write(dir.path().join("b/2.ppm"), b"P6\n1 1\n255\nabc").unwrap();
    fs::write(dir.path().join("b/3.ppm"), b"P6\n9 9\n255\nabc").unwrap();
    let bad = check_files(&scan(dir.path()).unwrap().files);
    let found: Vec<(&Path, &str)> =
        bad.iter().map(|bad| (bad.path.strip_prefix(dir.path()).unwrap(), &bad.reason[..])).collect();
    assert_eq!(
        found,
        [
            (Path::new("a/1.jpg"), "the file is empty"),
            (
                Path::new("a/2.png"),
                "it is no image; it looks like an HTML page, perhaps what a failed download left"
            ),
            (Path::new("b/1.jpg"), "the file is empty"),
            (Path::new("b/3.ppm"), "the file is cut short"),
        ]
    );
}

/// What torchvision found in one of the trees of `parity/folders.py`; names in hexadecimal.
#[derive(serde::Deserialize)]
struct Tree {
    files: Vec<String>,
    classes: Vec<String>,
    images: Vec<(String, u32)>,
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap()).collect()
}

/// Names that are not UTF-8 can be written on Linux only.
#[cfg(target_os = "linux")]
#[test]
fn random_trees_are_read_in_torchvisions_order() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use wellfit_data::class_name;

    let trees: Vec<Tree> = serde_json::from_str(include_str!("fixtures/image_folders.json")).unwrap();
    let mut images = 0;
    for tree in &trees {
        let dir = tempfile::tempdir().unwrap();
        for file in &tree.files {
            let path = dir.path().join(OsStr::from_bytes(&bytes(file)));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let found = scan(dir.path()).unwrap();
        let name = |hex: &String| class_name(OsStr::from_bytes(&bytes(hex)));
        assert_eq!(found.classes, tree.classes.iter().map(name).collect::<Vec<_>>());
        let below = |path: &Path| path.strip_prefix(dir.path()).unwrap().as_os_str().as_bytes().to_vec();
        // What torchvision passes over is told elsewhere.
        let end = |path: &Path| path.extension().unwrap_or_default().to_ascii_lowercase();
        let is_torchvisions = |path: &Path| {
            !["jfif", "jpe", "gif", "jxl", "pbm", "pnm"].iter().any(|beyond| end(path) == *beyond)
        };
        let files = found.files.iter().filter(|(path, _)| is_torchvisions(path));
        let order: Vec<_> = files.map(|(path, label)| (below(path), *label)).collect();
        assert_eq!(order, tree.images.iter().map(|(path, label)| (bytes(path), *label)).collect::<Vec<_>>());
        images += order.len();
    }
    let compared = format!("{} folders, {images} images", trees.len());
    table::row("ImageFolder", &["torchvision"], &compared, "same classes, labels and order", 0.0);
}
