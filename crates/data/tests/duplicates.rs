//! Images that show the same picture: found, told apart, moved away and brought back.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use wellfit_data::duplicates::moving::{MOVED, move_back, move_out};
use wellfit_data::duplicates::{choice, copies_only};
use wellfit_data::{Dataset, Duplicates, Images, Likeness};

const SIDE: usize = 32;

/// A smooth picture of its own for each number: four bumps.
fn picture(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let bumps: Vec<[f64; 4]> =
        (0..4).map(|_| [next() * 32.0, next() * 32.0, 3.0 + 5.0 * next(), 120.0 * next() - 40.0]).collect();
    let level = |y: usize, x: usize| {
        let of = |[top, left, width, height]: &[f64; 4]| {
            let distance = (y as f64 - top).powi(2) + (x as f64 - left).powi(2);
            height / (1.0 + distance / (width * width))
        };
        (100.0 + bumps.iter().map(of).sum::<f64>()).clamp(0.0, 255.0) as u8
    };
    (0..SIDE * SIDE).map(|at| level(at / SIDE, at % SIDE)).collect()
}

fn mirrored(pixels: &[u8]) -> Vec<u8> {
    pixels.chunks_exact(SIDE).flat_map(|row| row.iter().rev()).copied().collect()
}

/// As another encoder would have it: two levels up or down.
fn noisy(pixels: &[u8]) -> Vec<u8> {
    pixels.iter().enumerate().map(|(at, &level)| level.saturating_add([0, 2, 1, 0, 2][at % 5])).collect()
}

fn memory(pictures: &[Vec<u8>], labels: Vec<u32>) -> Dataset {
    let images =
        Images::Memory { height: SIDE, width: SIDE, channels: 1, pixels: Arc::new(pictures.concat()) };
    Dataset::new(vec!["a".into(), "b".into()], labels, images).unwrap()
}

#[test]
fn copies_near_ones_and_mirrored_ones_are_found_and_no_others() {
    let mut train: Vec<Vec<u8>> = (1..=300).map(picture).collect();
    train.push(train[3].clone());
    train.push(noisy(&train[4]));
    let test = vec![mirrored(&train[5]), mirrored(&noisy(&train[6])), picture(1000), train[7].clone()];
    let train = memory(&train, vec![0; 302]);
    let test = memory(&test, vec![0, 0, 0, 1]);
    let found = Duplicates::among(&[("train", &train), ("test", &test)], &|_| ()).unwrap();
    let of = |set: &Vec<wellfit_data::Duplicate>| {
        let last = &set[1];
        (set.len(), set[0].position, last.part, last.position, last.likeness)
    };
    let sets: Vec<_> = found.sets.iter().map(of).collect();
    let expected = [
        (2, 3, 0, 300, Likeness::Copy),
        (2, 4, 0, 301, Likeness::Near),
        (2, 5, 1, 0, Likeness::Mirrored),
        (2, 6, 1, 1, Likeness::Mirrored),
        (2, 7, 1, 3, Likeness::Copy),
    ];
    assert_eq!(sets, expected);
    assert_eq!((found.extra(), found.shared(0, 1).count(), found.contradictions().count()), (5, 3, 1));
    assert_eq!(found.sets.iter().flat_map(|set| copies_only(set)).count(), 2);
    // What is tested stays; nothing goes where labels differ.
    assert_eq!(choice(&found.sets[2]), (1, vec![0]));
    assert_eq!(choice(&found.sets[4]).1, Vec::<usize>::new());
}

#[test]
fn the_result_does_not_depend_on_threads() {
    let mut pictures: Vec<Vec<u8>> = (1..=120).map(picture).collect();
    pictures.extend((0..40).map(|i| noisy(&pictures[i * 3])).collect::<Vec<_>>());
    let data = memory(&pictures, vec![0; 160]);
    let of = |threads| {
        wellfit_simd::Threads::new(threads)
            .unwrap()
            .run(|| Duplicates::among(&[("all", &data)], &|_| ()))
            .unwrap()
    };
    assert_eq!(of(1), of(3));
    assert_eq!(of(1).extra(), 40);
}

#[test]
fn plain_images_are_no_pairs_but_copies_are() {
    let plain = |level: u8| vec![level; SIDE * SIDE];
    let mut spotted = plain(90);
    spotted[77] = 110;
    let data = memory(&[plain(90), plain(91), plain(90), spotted], vec![0; 4]);
    let found = Duplicates::among(&[("all", &data)], &|_| ()).unwrap();
    let positions: Vec<usize> = found.sets.concat().iter().map(|image| image.position).collect();
    assert_eq!(positions, [0, 2]);
}

/// `data/a/0.png` and so on, each with its name as content.
fn folder(root: &Path) -> Vec<PathBuf> {
    let files: Vec<PathBuf> = ["a/0.png", "a/1.png", "b/0.png"].iter().map(|name| root.join(name)).collect();
    for path in &files {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, path.strip_prefix(root).unwrap().to_str().unwrap()).unwrap();
    }
    files
}

#[test]
fn what_is_moved_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    let (root, out) = (dir.path().join("data"), dir.path().join("out"));
    let files = folder(&root);
    let moved = move_out(&files[..2], &root, &out).unwrap();
    assert_eq!(moved.len(), 2);
    assert!(!files[0].exists() && files[2].exists());
    assert_eq!(std::fs::read_to_string(out.join("a/1.png")).unwrap(), "a/1.png");
    // Another file of the same name gets a number.
    std::fs::write(&files[0], "new").unwrap();
    move_out(&files[..1], &root, &out).unwrap();
    assert_eq!(std::fs::read_to_string(out.join("a/0-2.png")).unwrap(), "new");
    let undone = move_back(&out).unwrap();
    assert_eq!((undone.back.len(), undone.left.len()), (2, 1), "one place is taken by then");
    assert!(out.join(MOVED).exists());
    std::fs::remove_file(&files[0]).unwrap();
    assert_eq!(move_back(&out).unwrap().left.len(), 0);
    assert!(!out.exists() && files.iter().all(|path| path.exists()));
}

#[test]
fn a_kill_between_list_and_moves_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (root, out) = (dir.path().join("data"), dir.path().join("out"));
    let files = folder(&root);
    move_out(&files[..2], &root, &out).unwrap();
    // As if the process had ended before the second file moved.
    std::fs::rename(out.join("a/1.png"), &files[1]).unwrap();
    move_out(&files[1..2], &root, &out).unwrap();
    assert!(out.join("a/1.png").exists(), "the same place as planned before");
    let undone = move_back(&out).unwrap();
    assert_eq!((undone.back.len(), undone.left.len()), (2, 0));
    assert!(files.iter().all(|path| path.exists()) && !out.exists());
}

#[test]
fn a_folder_with_other_things_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("data");
    let files = folder(&root);
    let problem = |out: &Path| move_out(&files, &root, out).unwrap_err().to_string();
    let (other, file) = (dir.path().join("other"), dir.path().join("file"));
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("mine.txt"), "").unwrap();
    std::fs::write(&file, "").unwrap();
    assert!(problem(&other).contains("holds other things"));
    assert!(problem(&root.join("a/duplicates")).contains("would be classes"));
    assert!(!problem(&file).is_empty());
    assert!(files.iter().all(|path| path.exists()));
    assert!(move_back(&other).unwrap_err().to_string().contains("holds no moved.json"));
}
