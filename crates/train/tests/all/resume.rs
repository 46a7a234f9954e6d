//! A run that was interrupted ends as if it had not been: the same bits, the same record.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use crate::faulty::{Fault, Faulty};
use crate::material::{After, Ending, Story, cases};
use std::path::Path;
use wellfit_record::{Event, Request, RunDir, RunWriter, StopReason};
use wellfit_rng::{Rng, Stream};
use wellfit_train::{Callback, Every, FitConfig, Phase, Tick, TrainError};

/// A fresh run on a disk that works, and that nobody waits for.
fn new_run(root: &tempfile::TempDir) -> RunWriter {
    Story::new_run(Faulty::new(Fault::Once), &root.path().join("run"))
}

fn reopened(path: &Path) -> RunWriter {
    RunWriter::resume_with(Faulty::new(Fault::Once), path).unwrap()
}

fn uninterrupted(story: &Story) -> Ending {
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let outcome = story.begin(&mut run, &mut ()).unwrap();
    Ending::of(&outcome, run)
}

/// The run interrupted after each of these numbers of batches in turn, and then to its end.
fn interrupted(story: &Story, batches: &[usize]) -> (Ending, Vec<Event>) {
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let path = run.path().to_path_buf();
    let mut outcome = story.begin(&mut run, &mut After(batches[0]));
    for &next in batches[1..].iter().chain([&usize::MAX]) {
        assert!(matches!(outcome, Err(TrainError::Interrupted { .. })), "{outcome:?}");
        drop(run);
        run = reopened(&path);
        outcome = story.resume(&mut run, &mut After(next)).0;
    }
    let ending = Ending::of(&outcome.unwrap(), run);
    (ending, RunDir::open(path).unwrap().events().unwrap().rows)
}

/// Interruptions and resumptions apart, what an event says besides times and places.
fn gist(event: &Event) -> Option<String> {
    match event {
        Event::Epoch(epoch) => Some(format!("epoch {} {}", epoch.epoch, epoch.val_loss())),
        Event::LrChange { epoch, to, .. } => Some(format!("lr {epoch} {to}")),
        Event::EarlyStoppingCounter { epoch, counter, .. } => Some(format!("counter {epoch} {counter}")),
        Event::Stop { reason, epoch, .. } => Some(format!("stop {epoch} {reason}")),
        _ => None,
    }
}

#[test]
fn the_bits_are_the_same_wherever_it_is_interrupted() {
    wherever_it_is_interrupted(&Story::new());
}

#[test]
fn so_they_are_with_frozen_weights() {
    wherever_it_is_interrupted(&Story::new().frozen());
}

#[test]
fn so_they_are_with_the_head_first() {
    wherever_it_is_interrupted(&Story::new().head_first(3));
}

#[test]
fn so_they_are_with_fixed_statistics() {
    wherever_it_is_interrupted(&Story::new().fixed_statistics());
    wherever_it_is_interrupted(&Story::new().head_first(3).fixed_statistics());
}

#[test]
fn so_they_are_with_an_average_of_the_weights() {
    wherever_it_is_interrupted(&Story::new().averaged(0.9));
    wherever_it_is_interrupted(&Story::new().head_first(3).averaged(0.9));
}

#[test]
fn so_they_are_with_accumulated_gradients() {
    let mut story = Story::new().averaged(0.9);
    // Two steps of two batches, one of the batch that is left.
    story.config.accumulate = 2;
    wherever_it_is_interrupted(&story);
}

#[test]
fn so_they_are_with_a_schedule_behind_the_head_first() {
    let mut story = Story::new().head_first(3);
    let schedule: wellfit_policy::schedule::ScheduleSpec = "one-cycle".parse().unwrap();
    story.config.lr_scheduler = None;
    story.config.schedule = schedule.build(story.config.lr, story.config.epochs - 3, 5).unwrap();
    wherever_it_is_interrupted(&story);
}

#[test]
fn so_they_are_with_one_stage_after_the_other() {
    for story in [Story::new().gradual(2, 2), Story::new().gradual(1, 1).fixed_statistics().averaged(0.9)] {
        wherever_it_is_interrupted(&story);
    }
    let mut story = Story::new().gradual(2, 3);
    let schedule: wellfit_policy::schedule::ScheduleSpec = "one-cycle".parse().unwrap();
    story.config.lr_scheduler = None;
    story.config.schedule = schedule.build(story.config.lr, story.config.epochs - 2, 5).unwrap();
    wherever_it_is_interrupted(&story);
}

#[test]
fn so_they_are_with_an_average_of_epochs() {
    use wellfit_policy::schedule::{Anneal, SwaRate};
    let rate = SwaRate { lr: 0.01, epochs: 2, anneal: Anneal::Cos };
    wherever_it_is_interrupted(&Story::new().swa(3, Some(rate)));
    wherever_it_is_interrupted(&Story::new().gradual(1, 1).swa(4, None));
    let mut story = Story::new().swa(3, Some(rate));
    let schedule: wellfit_policy::schedule::ScheduleSpec = "one-cycle".parse().unwrap();
    story.config.lr_scheduler = None;
    story.config.early_stopping = None;
    story.config.schedule = schedule.build(story.config.lr, story.config.epochs, 5).unwrap();
    wherever_it_is_interrupted(&story);
}

fn wherever_it_is_interrupted(story: &Story) {
    let whole = uninterrupted(story);
    let mut rng = Rng::new(0, Stream::Noise, 0, 0);
    for case in 0..cases(20, 200) {
        // An epoch is 5 batches of training and 3 of validation, and asks after each step and each of the latter.
        let (count, batches) =
            (1 + case % 3, whole.epochs() * (5_usize.div_ceil(story.config.accumulate as usize) + 3));
        let points: Vec<usize> =
            (0..count).map(|_| 1 + rng.below((batches / count - 5) as u32) as usize).collect();
        let (ending, events) = interrupted(story, &points);
        assert!(ending == whole, "interrupted after {points:?} batches: {ending:?} instead of {whole:?}");
        let of = |kind: fn(&Event) -> bool| events.iter().filter(|event| kind(event)).count();
        assert_eq!(of(|event| matches!(event, Event::Interrupted { .. })), points.len());
        assert_eq!(of(|event| matches!(event, Event::Resumed { .. })), points.len());
        let told: Vec<String> = events.iter().filter_map(gist).collect();
        let distinct: std::collections::BTreeSet<&String> = told.iter().collect();
        assert_eq!(distinct.len(), told.len(), "an event is told twice: {told:?}");
    }
}

#[test]
fn an_early_stop_is_remembered() {
    let story = Story::new();
    let whole = uninterrupted(&story);
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let path = run.path().to_path_buf();
    let outcome = story.begin(&mut run, &mut ()).unwrap();
    assert!(
        outcome.stop == StopReason::EarlyStopping && outcome.epochs.len() < 9,
        "the story needs a new ending"
    );
    drop(run);
    // As if killed between the last commit and the word that it is over.
    let mut run = reopened(&path);
    let again = story.resume(&mut run, &mut ()).0.unwrap();
    assert_eq!(Ending::of(&again, run), whole);
    let events = RunDir::open(path).unwrap().events().unwrap().rows;
    assert_eq!(events.iter().filter(|event| matches!(event, Event::Stop { .. })).count(), 1);
}

#[test]
fn threads_do_not_matter_nor_a_change_of_them() {
    let story = Story::new();
    let on = |threads: usize, work: &(dyn Fn() -> Ending + Sync)| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
    };
    let whole = uninterrupted(&story);
    for threads in [1, 2, 4] {
        assert!(on(threads, &|| uninterrupted(&story)) == whole, "{threads} threads");
    }
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("run");
    let first = || {
        let mut run = new_run(&root);
        story.begin(&mut run, &mut After(11)).unwrap_err();
        uninterrupted(&story)
    };
    let second = || {
        let mut run = reopened(&path);
        let outcome = story.resume(&mut run, &mut ()).0.unwrap();
        Ending::of(&outcome, run)
    };
    on(4, &first);
    assert!(on(1, &second) == whole);
}

#[test]
fn checkpoints_come_as_often_as_asked_and_older_ones_stay() {
    let mut story = Story::new();
    let count = |story: &Story| {
        let root = tempfile::tempdir().unwrap();
        let mut run = new_run(&root);
        story.begin(&mut run, &mut ()).unwrap();
        let dir = RunDir::open(run.path()).unwrap();
        let told = dir.events().unwrap().rows;
        let last = |event: &&Event| matches!(event, Event::Checkpoint { name, .. } if name == "last");
        let kept = dir.checkpoints().unwrap();
        let kept = kept.iter().filter(|path| path.to_str().unwrap().ends_with("-last")).count();
        (told.iter().filter(last).count(), kept)
    };
    story.config = FitConfig { epochs: 2, ..story.config };
    assert_eq!(count(&story), (2, 2), "each epoch, and one kept");
    story.config = FitConfig { checkpoint_every: Some(Every::Steps(2)), keep: 3, ..story.config };
    assert_eq!(count(&story), (2 + 5, 4), "also at the steps 2, 4, 6, 8, 10");
    let at_once = Some(Every::Time(std::time::Duration::ZERO));
    story.config = FitConfig { checkpoint_every: at_once, keep: 0, ..story.config };
    assert_eq!(count(&story), (2 + 10, 1), "after every step");
}

#[test]
fn a_checkpoint_of_another_network_is_refused() {
    let story = Story::short(1);
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    story.begin(&mut run, &mut ()).unwrap();
    let found = RunDir::open(run.path()).unwrap().newest_good(Some("last")).unwrap().found.unwrap();
    let before = std::fs::read(run.path().join("events.jsonl")).unwrap();
    let other = wellfit_models::build("mlp", wellfit_models::Shape::image(4, 4, 1), 2).unwrap();
    let data = (&story.train, &story.validation);
    let refused = wellfit_train::resume(other, data, &story.config, Some(&found), &mut run, &mut ());
    let text = refused.unwrap_err().to_string();
    assert!(
        text.contains("last: the weights do not fit mlp") && text.contains("classifier.0.weight"),
        "{text}"
    );
    assert_eq!(std::fs::read(run.path().join("events.jsonl")).unwrap(), before, "nothing is taken back");
}

/// Asks for something at a training step, once; and interrupts after so many batches.
struct Asking<'a> {
    run: &'a Path,
    requests: &'a [(u64, Request)],
    step: u64,
    stop: After,
}

impl Callback for Asking<'_> {
    fn tick(&mut self, tick: &Tick) {
        if tick.phase != Phase::Train {
            return;
        }
        // An epoch has five steps.
        self.step = u64::from(tick.epoch - 1) * 5 + tick.batch as u64;
        for (_, request) in self.requests.iter().filter(|(step, _)| *step == self.step) {
            let run = RunDir::open(self.run).unwrap();
            let known = run.events().unwrap().rows;
            if !known.iter().any(|event| matches!(event, Event::Requested { step, .. } if *step == self.step))
            {
                run.ask(*request).unwrap();
            }
        }
    }

    fn interrupted(&mut self) -> Option<String> {
        self.stop.interrupted()
    }
}

/// The run with these requests, interrupted after these numbers of batches.
fn asked(story: &Story, requests: &[(u64, Request)], batches: &[usize]) -> (Ending, Vec<Event>) {
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let path = run.path().to_path_buf();
    let asking = |batches| Asking { run: &path, requests, step: 0, stop: After(batches) };
    let mut batches = batches.iter().chain([&usize::MAX]);
    let mut outcome = story.begin(&mut run, &mut asking(*batches.next().unwrap()));
    for &next in batches {
        assert!(matches!(outcome, Err(TrainError::Interrupted { .. })), "{outcome:?}");
        drop(run);
        // A crash, not an orderly end: the run goes on from the end of an epoch.
        run = reopened(&path);
        outcome = story.resume(&mut run, &mut asking(next)).0;
    }
    let ending = Ending::of(&outcome.unwrap(), run);
    (ending, RunDir::open(&path).unwrap().events().unwrap().rows)
}

#[test]
fn what_was_asked_is_done_again_after_the_same_step() {
    let requests = [(7, Request::LowerRate { factor: 0.5 }), (18, Request::Stop)];
    let mut plain = Story::new();
    plain.config.early_stopping = None;
    let mut scheduled = Story::new();
    let schedule: wellfit_policy::schedule::ScheduleSpec = "one-cycle".parse().unwrap();
    (scheduled.config.early_stopping, scheduled.config.lr_scheduler) = (None, None);
    scheduled.config.schedule = schedule.build(scheduled.config.lr, scheduled.config.epochs, 5).unwrap();
    for story in [plain, scheduled] {
        let (whole, events) = asked(&story, &requests, &[]);
        assert_eq!((whole.epochs(), whole.steps()), (4, 18), "it stops within its fourth epoch");
        let (untouched, _) = asked(&story, &requests[1..], &[]);
        assert!(untouched != whole, "a lower rate changes something");
        let rates = |ending: &Ending| ending.rates();
        let pairs = rates(&whole).into_iter().zip(rates(&untouched)).take(8);
        let halved: Vec<bool> = pairs.map(|(lower, full)| lower == 0.5 * full).collect();
        assert_eq!(halved, [false, false, false, false, false, false, false, true]);
        let told =
            |events: &[Event]| events.iter().filter(|event| matches!(event, Event::Requested { .. })).count();
        assert_eq!(told(&events), 2);
        // Within an epoch before and behind the requests, at their steps, while the last epoch is validated.
        for points in [vec![3], vec![9], vec![10, 4], vec![27], vec![28], vec![29, 1], vec![9, 9, 9]] {
            let (ending, events) = asked(&story, &requests, &points);
            assert!(ending == whole, "interrupted after {points:?} batches: {ending:?} instead of {whole:?}");
            assert_eq!(told(&events), 2);
        }
    }
}

#[test]
fn a_kill_after_a_request_takes_none_of_it_back() {
    let requests = [(7, Request::LowerRate { factor: 0.5 }), (18, Request::Stop)];
    let mut story = Story::new();
    story.config.early_stopping = None;
    let (whole, _) = asked(&story, &requests, &[]);
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let path = run.path().to_path_buf();
    let mut asking = Asking { run: &path, requests: &requests, step: 0, stop: After(usize::MAX) };
    story.begin(&mut run, &mut asking).unwrap();
    drop(run);
    // The checkpoints of the end are lost: the run goes back to an earlier one, and stops again at the same step.
    let newest = RunDir::open(&path).unwrap().newest_good(Some(wellfit_train::LAST)).unwrap().found.unwrap();
    std::fs::remove_dir_all(newest.checkpoint.path).unwrap();
    let mut run = reopened(&path);
    let (outcome, _) = story.resume(&mut run, &mut ());
    assert!(Ending::of(&outcome.unwrap(), run) == whole);
}

#[test]
fn a_run_that_was_asked_to_stop_may_go_on() {
    let mut story = Story::new();
    story.config.early_stopping = None;
    let root = tempfile::tempdir().unwrap();
    let mut run = new_run(&root);
    let path = run.path().to_path_buf();
    let mut asking = Asking { run: &path, requests: &[(7, Request::Stop)], step: 0, stop: After(usize::MAX) };
    let outcome = story.begin(&mut run, &mut asking).unwrap();
    assert_eq!((outcome.epochs.len(), outcome.stop), (2, StopReason::Callback));
    assert!(outcome.stop_message.contains("asked to stop, after step 7"), "{}", outcome.stop_message);
    drop(run);
    story.config.go_on_after_stop = true;
    let mut run = reopened(&path);
    assert!(story.resume(&mut run, &mut After(12)).0.is_err(), "it trains on");
    drop(run);
    // Also when it is interrupted and resumed as any run.
    story.config.go_on_after_stop = false;
    let mut run = reopened(&path);
    let outcome = story.resume(&mut run, &mut ()).0.unwrap();
    assert_eq!((outcome.epochs.len(), outcome.stop), (9, StopReason::Finished));
}
