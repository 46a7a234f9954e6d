//! What checkpoints of a run with frozen weights hold, and what their commits write.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::faulty::{Fault, Faulty};
use crate::material::{Ending, Story};
use wellfit_record::{LoadedCheckpoint, RunDir, RunWriter};
use wellfit_train::{BEST, LAST, checkpoint_weights, resume};
use wellfit_weights::{WeightFile, from_bytes, to_safetensors_bytes};

const FROZEN: &str = "frozen.safetensors";

fn newest(run: &RunWriter, name: &str) -> LoadedCheckpoint {
    RunDir::open(run.path()).unwrap().newest_good(Some(name)).unwrap().found.unwrap()
}

/// A run to its end on a disk that tells what was done.
fn finished(story: &Story, root: &tempfile::TempDir) -> (Ending, RunWriter, Vec<&'static str>) {
    let (disk, path) = (Faulty::new(Fault::Once), root.path().join("run"));
    let mut run = Story::new_run(disk.clone(), &path);
    let outcome = story.begin(&mut run, &mut ()).unwrap();
    let ending = Ending::of(&outcome, run);
    let done = disk.done.lock().unwrap().clone();
    (ending, RunWriter::resume_with(Faulty::new(Fault::Once), &path).unwrap(), done)
}

fn sorted(mut file: WeightFile) -> WeightFile {
    file.arrays.sort_by(|(a, _), (b, _)| a.cmp(b));
    file
}

#[test]
fn only_what_training_changes_is_written_again() {
    let root = tempfile::tempdir().unwrap();
    let (_, run, done) = finished(&Story::short(4).frozen(), &root);
    let events = RunDir::open(run.path()).unwrap().events().unwrap().rows;
    let commits = |wanted: &str| {
        let is = |event: &&wellfit_record::Event| matches!(event, wellfit_record::Event::Checkpoint { name, .. } if name == wanted);
        events.iter().filter(is).count()
    };
    let (best, last) = (commits(BEST), commits(LAST));
    assert!(best > 1 && last == 4 + 8, "{best} and {last}: the story needs another middle");
    let links = done.iter().filter(|&&name| name == "link").count();
    assert_eq!(
        links,
        (best - 1) + (last - 2),
        "once for `best`, twice for `last` and the one kept beside it"
    );
}

#[test]
fn the_two_files_are_the_whole_state() {
    let story = Story::short(3).frozen();
    let root = tempfile::tempdir().unwrap();
    let (_, run, _) = finished(&story, &root);
    let best = newest(&run, BEST);
    let names: Vec<&String> = best.files.keys().collect();
    assert_eq!(names, [FROZEN, "trained.safetensors"]);
    let frozen = from_bytes(&best.files[FROZEN]).unwrap();
    assert_eq!(frozen.arrays, story.network().frozen_state().arrays);
    let mut network = story.network();
    network.load(&checkpoint_weights(&best).unwrap(), false).unwrap();
    assert_eq!(sorted(network.state()).arrays, sorted(checkpoint_weights(&best).unwrap()).arrays);
    assert_ne!(network.state(), story.network().state(), "it was trained");
}

/// As before frozen weights had a file of their own.
#[test]
fn a_checkpoint_with_everything_in_one_file_is_still_good() {
    let story = Story::new().frozen();
    let root = tempfile::tempdir().unwrap();
    let (whole, _run, _) = finished(&story, &root);
    let mut with_best = 0;
    for batches in [4, 13, 21] {
        let root = tempfile::tempdir().unwrap();
        let mut run = Story::new_run(Faulty::new(Fault::Once), &root.path().join("run"));
        story.begin(&mut run, &mut crate::material::After(batches)).unwrap_err();
        let mut last = newest(&run, LAST);
        let frozen = from_bytes(&last.files.remove(FROZEN).unwrap()).unwrap();
        let mut join = |from: &str, to: &str| {
            if let Some(part) = last.files.remove(from) {
                let part = from_bytes(&part).unwrap();
                let arrays = [frozen.arrays.clone(), part.arrays].concat();
                let bytes = to_safetensors_bytes(&WeightFile { arrays, ..part }).unwrap();
                last.files.insert(to.to_owned(), bytes);
            }
        };
        join("trained.safetensors", "model.safetensors");
        join("best.safetensors", "best.safetensors");
        with_best += usize::from(last.files.contains_key("best.safetensors"));
        let data = (&story.train, &story.validation);
        let outcome = resume(story.network(), data, &story.config, Some(&last), &mut run, &mut ()).unwrap();
        assert_eq!(Ending::of(&outcome, run), whole, "interrupted after {batches} batches");
    }
    assert!(with_best > 0, "the best weights are in none of them");
}
