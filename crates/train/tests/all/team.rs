//! Several processes, here threads, that make one run.

#![allow(clippy::unwrap_used, reason = "a test may panic, its helpers too")]

use crate::material::{After, Ending, Story};
use std::sync::Arc;
use std::thread;
use wellfit_cluster::{Link, Wire, threads};
use wellfit_data::augment::Mixing;
use wellfit_data::{Augmentations, Cache, Loader, LoaderOptions};
use wellfit_policy::schedule::SwaRate;
use wellfit_record::{RunDir, RunWriter};
use wellfit_train::{Callback, FitConfig, LAST, Outcome, Team, TrainError, fit, follow, resume};

/// That run in parts, by so many processes, from its newest checkpoint on if it has one.
fn run(
    story: &Story,
    ranks: usize,
    run: &mut RunWriter,
    callback: &mut dyn Callback,
) -> Result<Outcome, TrainError> {
    let data = (&story.train, &story.validation);
    let newest = RunDir::open(run.path()).unwrap().newest_good(Some(LAST)).unwrap().found;
    thread::scope(|scope| {
        let mut first = None;
        for group in threads(ranks) {
            let rank = group.rank();
            let link = (ranks > 1).then(|| Arc::new(Link::new(group).unwrap()));
            let config = FitConfig {
                team: Team { shards: 4, link, ..story.config.team.clone() },
                ..story.config.clone()
            };
            if rank == 0 {
                first = Some(config);
            } else {
                // What the weights of the others are before they are told must not matter.
                let mut network = story.network();
                network.initialise(77);
                scope.spawn(move || follow(network, data, &config).unwrap());
            }
        }
        let config = first.unwrap();
        match &newest {
            None => fit(story.network(), data, &config, run, callback),
            found => resume(story.network(), data, &config, found.as_ref(), run, callback),
        }
    })
}

fn ending(story: &Story, ranks: usize) -> Ending {
    let root = tempfile::tempdir().unwrap();
    let mut writer = crate::material::new_run(&root);
    let outcome = run(story, ranks, &mut writer, &mut ()).unwrap();
    Ending::of(&outcome, writer)
}

fn with_train(mut story: Story, change: impl FnOnce(&Loader, LoaderOptions) -> Loader) -> Story {
    let options =
        LoaderOptions { batch_size: 12, shuffle: true, merge_last_single: true, ..LoaderOptions::default() };
    story.train = change(&story.train, options);
    story
}

/// A last batch that is too small for all parts; BatchNorm, dropout, clipping, statistics.
#[test]
fn one_two_and_four_processes_make_the_same_run() {
    let mut story = Story::new();
    story.config.epochs = 3;
    let [one, two, four] = [1, 2, 4].map(|ranks| ending(&story, ranks));
    assert_eq!(one.epochs(), 3);
    assert_eq!(one, two);
    assert_eq!(one, four);
}

/// Whatever else a run may do.
#[test]
fn they_do_so_in_every_kind_of_run() {
    type Make = fn() -> Story;
    let kinds: [(&str, Make); 8] = [
        ("synchronised", || Story::short(3).synchronised()),
        ("accumulated", || {
            let mut story = Story::short(2);
            story.config.accumulate = 2;
            story
        }),
        ("an average", || Story::short(2).averaged(0.9)),
        ("swa", || Story::short(3).swa(2, None::<SwaRate>)),
        ("stage by stage", || Story::short(3).gradual(1, 1)),
        ("fixed statistics", || Story::short(2).fixed_statistics()),
        ("features", || {
            let mut story = Story::short(2).frozen();
            story.train = story.train.with_cache(Cache::memory(1 << 20));
            story
        }),
        ("mixed images", || {
            with_train(Story::short(2), |train, options| {
                let mixing = Augmentations::new(vec![Arc::new(Mixing { mixup: 0.4, cutmix: 0.0 })]).unwrap();
                Loader::new(train.dataset().clone(), train.preprocessing().clone(), mixing, options).unwrap()
            })
        }),
    ];
    for (kind, story) in kinds {
        let (one, four) = (ending(&story(), 1), ending(&story(), 4));
        assert!(one == four, "{kind}: {one:?} {four:?}");
    }
}

/// After each step, with another number of processes.
#[test]
fn a_run_goes_on_with_another_number_of_processes() {
    let story = Story::short(2);
    let whole = ending(&story, 1);
    for (before, after, batches) in [(4, 2, 1), (2, 4, 2), (4, 1, 3), (1, 4, 4)] {
        let root = tempfile::tempdir().unwrap();
        let mut writer = crate::material::new_run(&root);
        let ended = run(&story, before, &mut writer, &mut After(batches)).unwrap_err();
        assert!(matches!(ended, TrainError::Interrupted { .. }), "{ended}");
        let outcome = run(&story, after, &mut writer, &mut ()).unwrap();
        assert_eq!(Ending::of(&outcome, writer), whole, "{before}, then {after}");
    }
}

/// Parts are a way to compute the same step: only BatchNorm sees that there are any.
#[test]
fn without_batch_norm_parts_differ_by_rounding_only() {
    let mut story = Story::short(2).fixed_statistics();
    story.config.statistics = false;
    let parts = ending(&story, 1);
    let root = tempfile::tempdir().unwrap();
    let mut writer = crate::material::new_run(&root);
    let outcome = story.begin(&mut writer, &mut ()).unwrap();
    let whole = Ending::of(&outcome, writer);
    let (far, parts, whole) = (whole.distance(&parts), parts.losses(), whole.losses());
    assert_eq!(parts[0].to_bits(), whole[0].to_bits(), "the first loss, masks of dropout included");
    // Four steps of Adam, at 0.02 each, from gradients that differ in the last bits.
    assert!(far < 1e-4, "{far}");
}

/// With the statistics of the whole batch, parts compute what a batch as a whole does; with their own they do not.
#[test]
fn synchronised_parts_differ_by_rounding_only() {
    let mut story = Story::short(1);
    story.config.statistics = false;
    let root = tempfile::tempdir().unwrap();
    let mut writer = crate::material::new_run(&root);
    let outcome = story.begin(&mut writer, &mut ()).unwrap();
    let whole = Ending::of(&outcome, writer);
    let apart = whole.distance(&ending(&story, 1));
    let story = story.synchronised();
    let together = whole.distance(&ending(&story, 2));
    // Adam's steps are of 0.02; where a gradient is all rounding they may point anywhere.
    assert!(together < 1e-3 && apart > 0.02, "{together} and {apart}");
}

/// Sums that are sent as bfloat16 lose digits, and no more.
#[test]
fn gradients_may_be_sent_with_half_the_bytes() {
    let mut story = Story::short(1);
    let exact = ending(&story, 2);
    story.config.team.reduce = Wire::Bf16;
    let rounded = ending(&story, 2);
    let far = exact.distance(&rounded);
    assert!(far > 0.0 && exact.losses()[0].to_bits() == rounded.losses()[0].to_bits(), "{far}");
    assert!((exact.losses().last().unwrap() / rounded.losses().last().unwrap() - 1.0).abs() < 0.1);
}

#[test]
fn the_first_process_ends_when_another_one_is_gone() {
    let story = Story::short(2);
    let mut groups = threads(2).into_iter();
    let link = Some(Arc::new(Link::new(groups.next().unwrap()).unwrap()));
    drop(groups);
    let root = tempfile::tempdir().unwrap();
    let mut writer = crate::material::new_run(&root);
    let config =
        FitConfig { team: Team { shards: 4, link, ..story.config.team.clone() }, ..story.config.clone() };
    let data = (&story.train, &story.validation);
    let ended = fit(story.network(), data, &config, &mut writer, &mut ()).unwrap_err();
    assert_eq!(
        ended.to_string(),
        "process 1 of those that train together is gone: the others cannot go on without it"
    );
}
