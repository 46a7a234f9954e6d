use super::{Dir, Kind};
use std::fs;
use std::io::{ErrorKind, Write};

fn opened() -> (tempfile::TempDir, Dir) {
    let root = tempfile::tempdir().unwrap();
    let dir = Dir::open(root.path()).unwrap();
    (root, dir)
}

#[test]
fn a_name_is_no_path() {
    let (_root, dir) = opened();
    for bad in ["", ".", "..", "a/b", "/tmp", "a/", "./a"] {
        assert_eq!(dir.create_file(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad:?}");
        assert_eq!(dir.open_dir(bad).unwrap_err().kind(), ErrorKind::InvalidInput, "{bad:?}");
        assert!(dir.remove(bad).is_err() && dir.kind(bad).is_err() && dir.is_file(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn files_are_made_once_appended_and_read_within_bounds() {
    let (_root, dir) = opened();
    dir.create_file("a").unwrap().write_all(b"one").unwrap();
    assert_eq!(dir.create_file("a").unwrap_err().kind(), ErrorKind::AlreadyExists);
    dir.append_file("a").unwrap().write_all(b"two").unwrap();
    assert_eq!(dir.read("a", 6).unwrap(), b"onetwo");
    assert_eq!(dir.read("a", 5).unwrap_err().kind(), ErrorKind::FileTooLarge);
    assert_eq!(dir.length("a").unwrap(), Some(6));
    assert_eq!(dir.read("b", 5).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(dir.kind("b").unwrap(), None);
    dir.sync().unwrap();
}

#[cfg(unix)]
#[test]
fn links_pipes_and_second_names_are_refused_and_what_they_lead_to_stays() {
    use std::os::unix::fs::symlink;
    let (root, dir) = opened();
    let (elsewhere, other) = opened();
    fs::write(elsewhere.path().join("precious"), "years of work").unwrap();
    symlink(elsewhere.path().join("precious"), root.path().join("link")).unwrap();
    symlink(elsewhere.path(), root.path().join("folder")).unwrap();
    symlink(elsewhere.path().join("not yet"), root.path().join("nowhere")).unwrap();
    fs::hard_link(elsewhere.path().join("precious"), root.path().join("second")).unwrap();
    for name in ["link", "nowhere"] {
        assert_eq!(dir.kind(name).unwrap(), Some(Kind::Link));
        for refused in [dir.append_file(name), dir.open_file(name)] {
            assert!(refused.unwrap_err().to_string().contains("it is a link, where a file belongs"));
        }
        assert_eq!(dir.create_file(name).unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
    assert!(dir.open_dir("folder").unwrap_err().to_string().contains("where a folder belongs"));
    assert!(dir.open_dir("second").unwrap_err().to_string().contains("where a folder belongs"));
    assert!(dir.append_file("second").unwrap_err().to_string().contains("second name"));
    crate::testing::make_pipe(&root.path().join("pipe"));
    assert!(dir.append_file("pipe").is_err());
    assert!(dir.open_file("pipe").unwrap_err().to_string().contains("where a file belongs"));
    for name in ["link", "folder", "nowhere"] {
        dir.remove(name).unwrap();
    }
    assert_eq!(other.names().unwrap(), ["precious"]);
    assert_eq!(other.read("precious", 100).unwrap(), b"years of work");
}

#[cfg(unix)]
#[test]
fn removing_a_folder_stops_at_links() {
    let (root, dir) = opened();
    let (elsewhere, other) = opened();
    fs::write(elsewhere.path().join("precious"), "").unwrap();
    fs::create_dir_all(root.path().join("a/b/c")).unwrap();
    fs::write(root.path().join("a/b/file"), "").unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), root.path().join("a/b/out")).unwrap();
    dir.remove("a").unwrap();
    assert!(dir.names().unwrap().is_empty());
    assert_eq!(other.names().unwrap(), ["precious"]);
}

/// After a move the directory is still the same one, and its old path no longer leads to it.
#[cfg(unix)]
#[test]
fn an_opened_directory_is_itself_wherever_it_goes() {
    let (root, dir) = opened();
    dir.create_dir("a").unwrap();
    let inner = dir.open_dir("a").unwrap();
    assert!(inner.is_in_place().unwrap());
    fs::rename(root.path().join("a"), root.path().join("b")).unwrap();
    assert_eq!(inner.is_in_place().unwrap_err().kind(), ErrorKind::NotFound);
    dir.create_private_dir("a").unwrap();
    assert!(!inner.is_in_place().unwrap());
    inner.create_file("file").unwrap();
    assert!(root.path().join("b/file").is_file());
    assert_eq!(dir.identity_of("b").unwrap(), Some(inner.identity().unwrap()));
    inner.rename("file", (&dir, "there".as_ref())).unwrap();
    inner.create_file("one").unwrap();
    inner.link("one", (&dir, "two".as_ref())).unwrap();
    match dir.exchange("a", "b") {
        Ok(()) => assert!(inner.is_in_place().unwrap() && dir.is_file("there").unwrap()),
        Err(error) => assert_ne!(error.kind(), ErrorKind::NotFound, "a file system without exchange"),
    }
}
