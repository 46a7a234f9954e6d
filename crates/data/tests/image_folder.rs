//! Folders of images: torchvision's order, and what is wrong with them in words.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use wellfit_data::DataError;
use wellfit_data::image_folder::{check_files, scan};

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
