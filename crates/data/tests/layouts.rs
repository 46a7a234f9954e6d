//! Folders as they come out of archives: datasets of Kaggle, torchvision and universities, and those that people make.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use tempfile::TempDir;
use wellfit_data::{Dataset, Need, OpenOptions, Splits, open};

/// What training makes of a folder.
enum Want {
    /// Its classes, and the number of images to train on, to validate on and to test on.
    Parts(&'static str, [usize; 3]),
    /// Refused with these words.
    Refused(&'static [&'static str]),
}
use Want::{Parts, Refused};

/// Name, files, what they mean. `{a,b}` stands for both; an image is an image by its extension.
struct Case(&'static str, &'static [&'static str], Want);

include!("layouts/cases.rs");

/// `{a,b}/1` as `a/1` and `b/1`.
fn expand(pattern: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once('{') else { return vec![pattern.to_owned()] };
    let (choices, after) = rest.split_once('}').unwrap();
    choices.split(',').flat_map(|choice| expand(&format!("{before}{choice}{after}"))).collect()
}

/// The files, each image of other pixels than the others.
fn tree(patterns: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (number, file) in patterns.iter().flat_map(|pattern| expand(pattern)).enumerate() {
        let path = dir.path().join("data").join(&file);
        if file.ends_with('/') {
            fs::create_dir_all(path).unwrap();
            continue;
        }
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, [b"P5 1 2 255\n".as_slice(), &(number as u16).to_le_bytes()].concat()).unwrap();
    }
    dir
}

fn open_for(dir: &TempDir, need: Need) -> Result<Splits, String> {
    let options = OpenOptions { need, ..OpenOptions::default() };
    open(dir.path().join("data").to_str().unwrap(), &options, &|_| ()).map_err(|error| error.to_string())
}

fn sizes(splits: &Splits) -> [usize; 3] {
    let of = |part: &Option<Dataset>| part.as_ref().map_or(0, Dataset::len);
    [splits.train.len(), of(&splits.val), of(&splits.test)]
}

#[test]
fn folders_mean_what_their_makers_meant() {
    assert!(CASES.len() >= 60, "{}", CASES.len());
    let mut wrong = Vec::new();
    for Case(name, files, want) in CASES {
        let got = open_for(&tree(files), Need::Training);
        match (want, &got) {
            (Parts(classes, counts), Ok(splits))
                if splits.train.classes.join(" ") == *classes && sizes(splits) == *counts => {}
            (Refused(words), Err(message)) if words.iter().all(|word| message.contains(word)) => {}
            (_, Ok(splits)) => {
                wrong.push(format!(
                    "{name}: {:?} {:?} {:?}",
                    splits.train.classes,
                    sizes(splits),
                    splits.remarks
                ));
            }
            (_, Err(message)) => wrong.push(format!("{name}: {message}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
}

/// No image goes without a word: it is in a part, or a remark names its folder.
#[test]
fn every_image_is_in_a_part_or_in_a_remark() {
    for Case(name, files, _) in CASES {
        let dir = tree(files);
        let Ok(splits) = open_for(&dir, Need::Look) else { continue };
        let told: Vec<String> = splits.remarks.iter().map(ToString::to_string).collect();
        let used: Vec<_> = [Some(&splits.train), splits.val.as_ref(), splits.test.as_ref()]
            .into_iter()
            .flatten()
            .flat_map(|part| (0..part.len()).map(|i| part.path(i).unwrap().to_path_buf()))
            .collect();
        for file in files.iter().flat_map(|pattern| expand(pattern)) {
            let path = dir.path().join("data").join(&file);
            let is_image =
                [".jpg", ".png", ".JPEG", ".JPG", ".heic", ".avif"].iter().any(|end| file.ends_with(end));
            let is_junk = ["__MACOSX", "@eaDir", "System Vol", "._", "run/", "runs/", "a-1/", ".ipynb"]
                .iter()
                .any(|junk| file.contains(junk));
            if !is_image || is_junk || used.contains(&path) {
                continue;
            }
            let is_told = path.ancestors().any(|folder| {
                let folder = folder.display().to_string();
                folder.len() > dir.path().display().to_string().len()
                    && told.iter().any(|told| told.contains(&folder))
            });
            assert!(is_told, "{name}: {file} in no part and no remark: {told:#?}");
        }
    }
}
