//! Where a pass's inputs come from: images, or the cached features of a frozen backbone.
//!
//! A frozen backbone makes the same of an image in every epoch. With flips an image has up to four variants; the
//! features of each are computed once and kept in the loader's [`Cache`](wellfit_data::Cache). A row of a batch does
//! not depend on the other rows, so they are the bits that a pass over the images would give.

use crate::error::TrainError;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use wellfit_data::cache::Key;
use wellfit_data::{Epoch, Loader, Sample};
use wellfit_kernels::is_exact;
use wellfit_kernels::simd::InstructionSet;
use wellfit_models::{Network, Op};

/// A loader's data as inputs of a network.
#[derive(Debug)]
pub struct Source<'a> {
    loader: &'a Loader,
    features: Option<Features>,
}

/// What tells one feature from another.
#[derive(Debug)]
struct Features {
    /// The value of the network that is kept.
    cut: usize,
    /// Floats of one.
    len: usize,
    /// Weights and preprocessing.
    network: Key,
    /// Each image of the dataset.
    images: Vec<Key>,
}

/// The input of one step.
#[derive(Debug)]
pub struct Input {
    /// The values, a row a sample.
    pub values: Vec<f32>,
    /// Which value of the network they are: 0 for images.
    pub value: usize,
    /// The class of each sample.
    pub labels: Vec<u32>,
}

impl<'a> Source<'a> {
    /// The images as they are.
    #[must_use]
    pub fn images(loader: &'a Loader) -> Self {
        Self { loader, features: None }
    }

    /// Features where `network` begins with a frozen part and the loader has a cache, images otherwise.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn new(loader: &'a Loader, network: &Network) -> Result<Self, TrainError> {
        let cut = network.frozen_prefix();
        if cut == 0 || !loader.cache().is_on() {
            return Ok(Self::images(loader));
        }
        let (images, len) = (loader.dataset().contents()?, network.shape(cut).len());
        let features = Features { cut, len, network: key_of(network, cut, loader), images };
        Ok(Self { loader, features: Some(features) })
    }

    /// How many batches an epoch has.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.loader.batches()
    }

    /// The inputs of an epoch, counted from 0, from the batch `first` on.
    #[must_use]
    pub fn epoch(&self, epoch: u32, first: usize) -> Inputs<'_> {
        let Some(features) = &self.features else {
            let loaded = self.loader.epoch_from(epoch, first);
            return Inputs { source: self, loaded, steps: VecDeque::new(), other: Duration::ZERO };
        };
        let mut plan = self.loader.plan(epoch);
        let steps: VecDeque<Step> =
            plan.drain(first.min(plan.len())..).map(|samples| self.step(features, samples)).collect();
        let missing = steps.iter().map(|step| step.missing.clone()).filter(|missing| !missing.is_empty());
        Inputs { source: self, loaded: self.loader.load(missing.collect()), steps, other: Duration::ZERO }
    }

    fn step(&self, features: &Features, samples: Vec<Sample>) -> Step {
        let missing = samples.iter().filter(|sample| !self.loader.cache().has(&features.key(sample)));
        Step { missing: missing.copied().collect(), samples }
    }
}

/// The samples of a step, and those whose features were not there when the epoch began.
#[derive(Debug)]
struct Step {
    samples: Vec<Sample>,
    missing: Vec<Sample>,
}

/// The inputs of one epoch, in order.
#[derive(Debug)]
pub struct Inputs<'a> {
    source: &'a Source<'a>,
    /// Whole batches of images, or only what features are missing for.
    loaded: Epoch,
    steps: VecDeque<Step>,
    /// Time spent on features that were there.
    other: Duration,
}

impl Inputs<'_> {
    /// How long the training step has waited for data so far.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.loaded.waited() + self.other
    }

    /// The next input, whose missing features `network` computes; none at the end.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn next(&mut self, network: &Network) -> Result<Option<Input>, TrainError> {
        let Some(features) = &self.source.features else {
            let batch = self.loaded.next().transpose()?;
            return Ok(batch.map(|batch| Input { values: batch.images, value: 0, labels: batch.labels }));
        };
        let Some(step) = self.steps.pop_front() else { return Ok(None) };
        let fresh = if step.missing.is_empty() { None } else { self.loaded.next().transpose()? };
        let fresh = fresh.map(|batch| network.features(&batch.images, features.cut));
        let began = Instant::now();
        let values = self.source.gather(features, &step, fresh.as_deref().unwrap_or(&[]), network)?;
        self.other += began.elapsed();
        let labels = &self.source.loader.dataset().labels;
        let labels = step.samples.iter().map(|sample| labels[sample.index as usize]).collect();
        Ok(Some(Input { values, value: features.cut, labels }))
    }
}

impl Source<'_> {
    /// The features of a step: `fresh` ones of what was missing, which are kept now, and those in the cache.
    fn gather(
        &self,
        features: &Features,
        step: &Step,
        fresh: &[f32],
        network: &Network,
    ) -> Result<Vec<f32>, TrainError> {
        let cache = self.loader.cache();
        let mut fresh = fresh.chunks_exact(features.len);
        let mut missing = step.missing.iter().peekable();
        let mut values = Vec::with_capacity(step.samples.len() * features.len);
        for sample in &step.samples {
            let key = features.key(sample);
            let new = missing.next_if_eq(&sample).and_then(|_| fresh.next());
            if let Some(row) = new {
                cache.put(key, &bytes(row));
                values.extend_from_slice(row);
            } else if let Some(row) = cache.get(&key).filter(|row| row.len() == 4 * features.len) {
                values.extend(row.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value)));
            } else {
                // It was there when the epoch began: damaged, or gone to make room.
                let image =
                    self.loader.load(vec![vec![*sample]]).next().transpose()?.map(|batch| batch.images);
                let row = network.features(&image.unwrap_or_default(), features.cut);
                cache.put(key, &bytes(&row));
                values.extend_from_slice(&row);
            }
        }
        Ok(values)
    }
}

impl Features {
    fn key(&self, sample: &Sample) -> Key {
        let flips = [u8::from(sample.flips.horizontal), u8::from(sample.flips.vertical)];
        Key::of(&[b"features", self.network.bytes(), self.images[sample.index as usize].bytes(), &flips])
    }
}

fn bytes(row: &[f32]) -> Vec<u8> {
    row.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// All that features depend on besides the image: the nodes up to the cut with their weights and statistics, the
/// preprocessing, and what decides the last bits: this version of the program, the instruction set, `--exact-conv`.
fn key_of(network: &Network, cut: usize, loader: &Loader) -> Key {
    let transform = loader.transform();
    let machine = (env!("CARGO_PKG_VERSION"), InstructionSet::current().name(), is_exact());
    let image = (network.input, transform.size, transform.channels, &transform.mean, &transform.std);
    let mut hash = Sha256::new();
    hash.update(format!("{machine:?} {image:?} {:?}", &network.nodes[..cut]));
    let mut floats = |values: &[f32]| values.iter().for_each(|value| hash.update(value.to_le_bytes()));
    for node in &network.nodes[..cut] {
        network.node_parameters(node).iter().for_each(|&p| floats(&network.parameters[p].value));
        if let Op::BatchNorm { norm, .. } = node.op {
            floats(&network.norms[norm].mean);
            floats(&network.norms[norm].variance);
        }
    }
    Key::of(&[b"network", &hash.finalize()])
}
