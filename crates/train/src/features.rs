//! Where a pass's inputs come from: images, or the cached features of a frozen backbone.
//!
//! A frozen backbone gives the same output for an image in every epoch. With flips an image has up to four variants;
//! the features of each are computed once and stored in the loader's [`Cache`]. A row of a batch does not depend on the
//! other rows, so cached features have the bits that a pass over the images would give.

use crate::error::TrainError;
use crate::labels::Labels;
use sha2::{Digest, Sha256};
use std::collections::{HashSet, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wellfit_data::cache::Key;
use wellfit_data::{Augmentations, Cache, Epoch, Loader, Sample, Shards};
use wellfit_kernels::Buffer;
use wellfit_kernels::conv::Algorithm;
use wellfit_models::Network;
use wellfit_rng::{Rng, Stream};
use wellfit_simd::InstructionSet;

/// A loader's data as inputs of a network.
#[derive(Debug)]
pub struct Source {
    loader: Loader,
    features: Option<Features>,
    /// Which images of a batch are this process' own.
    shards: Shards,
}

/// The features of a loader's images, and the keys under which they are cached.
#[derive(Debug)]
struct Features {
    cache: Cache,
    augmentations: Augmentations,
    /// The value of the network that is cached.
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
    /// The values, a row for each sample of this process.
    pub values: Buffer,
    /// Which value of the network they are: 0 for images.
    pub value: usize,
    /// The class of each sample of the whole batch.
    pub labels: Labels,
    /// Which samples are this process' own.
    pub shards: Shards,
}

impl Input {
    /// The parts of the batch that this process computes: which images of the batch each has, and their values, of which a
    /// sample has `row`.
    pub(crate) fn parts(&self, row: usize) -> impl Iterator<Item = (Range<usize>, &[f32])> {
        let (shards, n) = (self.shards, self.labels.own.len());
        let first = shards.own_images(n).start;
        shards.own(n).map(move |part| shards.images(part, n)).map(move |images| {
            let own = &self.values[(images.start - first) * row..(images.end - first) * row];
            (images, own)
        })
    }
}

impl Source {
    /// The images as they are.
    #[must_use]
    pub fn images(loader: &Loader) -> Self {
        Self { loader: loader.clone(), features: None, shards: loader.shards() }
    }

    /// Features where `network` begins with a frozen part, the loader has a cache and its augmentations can be
    /// counted; images otherwise.
    ///
    /// Where features are cached, images are not: each is needed a few times at most, and a cache full of images would
    /// have no room for features, which take longer to compute.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn new(loader: &Loader, network: &Network) -> Result<Self, TrainError> {
        let (cache, cut) = (loader.cache().clone(), network.frozen_prefix());
        if cut == 0 || !cache.is_on() || loader.augmentations().variants().is_none() {
            return Ok(Self::images(loader));
        }
        let (images, len) = (loader.keys()?, network.shape(cut).len());
        let (augmentations, network) = (loader.augmentations().clone(), key_of(network, cut, loader));
        let features = Features { cache, augmentations, cut, len, network, images };
        let (shards, loader) = (loader.shards(), loader.clone().with_cache(Cache::off()));
        Ok(Self { loader: loader.sharded(Shards::default()), features: Some(features), shards })
    }

    /// The images of whole batches, whatever the part of this process in them.
    #[must_use]
    pub fn whole(&self) -> Self {
        Self::images(&self.loader.clone().sharded(Shards::default()))
    }

    /// Where the data come from.
    #[must_use]
    pub fn loader(&self) -> &Loader {
        &self.loader
    }

    /// How many batches an epoch has.
    #[must_use]
    pub fn batches(&self) -> usize {
        self.loader.batches()
    }

    /// The inputs of an epoch, counted from 0, from the batch `first` on.
    #[must_use]
    pub fn epoch(&self, epoch: u32, first: usize) -> Inputs<'_> {
        let mut steps = VecDeque::new();
        let loaded = match &self.features {
            None => self.loader.epoch_from(epoch, first),
            Some(features) => {
                let mut planned = HashSet::new();
                let plan = self.loader.plan(epoch).into_iter().skip(first);
                steps.extend(plan.map(|step| features.split(step, self.shards, &mut planned)));
                let missing = steps.iter().map(|step| &step.missing).filter(|missing| !missing.is_empty());
                self.loader.load(missing.cloned().collect())
            }
        };
        Inputs { source: self, loaded, steps, gathering: Duration::ZERO }
    }
}

/// The samples of a step, and those of this process whose features were not there when the epoch began.
#[derive(Debug)]
struct Step {
    /// Of the whole batch.
    batch: Vec<Sample>,
    /// Of this process.
    samples: Vec<Sample>,
    missing: Vec<Sample>,
}

/// The inputs of one epoch, in order.
#[derive(Debug)]
pub struct Inputs<'a> {
    source: &'a Source,
    /// Whole batches of images, or only what features are missing for.
    loaded: Epoch,
    steps: VecDeque<Step>,
    /// Time spent on bringing a step's features together.
    gathering: Duration,
}

impl Inputs<'_> {
    /// How long the training step has waited for data so far.
    #[must_use]
    pub fn waited(&self) -> Duration {
        self.loaded.waited() + self.gathering
    }

    /// The next input, whose missing features `network` computes; none at the end.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn next(&mut self, network: &Network) -> Result<Option<Input>, TrainError> {
        let Source { loader, features, shards } = self.source;
        let Some(features) = features else {
            let batch = self.loaded.next().transpose()?;
            return Ok(batch.map(|batch| {
                let labels = Labels { own: batch.labels, mixed: batch.mixed };
                Input { values: batch.images, value: 0, labels, shards: *shards }
            }));
        };
        let Some(step) = self.steps.pop_front() else { return Ok(None) };
        let fresh = if step.missing.is_empty() { None } else { self.loaded.next().transpose()? };
        let fresh = fresh.map(|batch| network.features(&batch.images, features.cut));
        let began = Instant::now();
        let values = features.gather(&step, fresh.as_deref().unwrap_or(&[]), |sample| {
            let image = loader.load(vec![vec![sample]]).next().transpose()?;
            Ok(network.features(&image.map(|batch| batch.images).unwrap_or_default(), features.cut).to_vec())
        })?;
        self.gathering += began.elapsed();
        let labels = &loader.dataset().labels;
        let labels = step.batch.iter().map(|sample| labels[sample.index as usize]).collect();
        let labels = Labels { own: labels, mixed: None };
        Ok(Some(Input { values, value: features.cut, labels, shards: *shards }))
    }
}

impl Features {
    /// `planned` are those that an earlier step will have computed: a sampler may draw an image more than once.
    fn split(&self, batch: Vec<Sample>, shards: Shards, planned: &mut HashSet<Key>) -> Step {
        let samples = batch[shards.own_images(batch.len())].to_vec();
        let mut missing = samples.clone();
        missing.retain(|sample| {
            let key = self.key(sample);
            !self.cache.has(&key) && planned.insert(key)
        });
        Step { missing, samples, batch }
    }

    /// The features of a step: `fresh` ones of what was missing, which are kept now, and those in the cache. `make`
    /// computes what was there when the epoch began, but is damaged, or gone to make room.
    fn gather(
        &self,
        step: &Step,
        fresh: &[f32],
        make: impl Fn(Sample) -> Result<Vec<f32>, TrainError>,
    ) -> Result<Buffer, TrainError> {
        let (mut fresh, mut missing) = (fresh.chunks_exact(self.len), step.missing.iter().peekable());
        let mut values = Buffer::scratch(step.samples.len() * self.len);
        for (sample, place) in step.samples.iter().zip(values.chunks_exact_mut(self.len)) {
            let key = self.key(sample);
            let new = missing.next_if_eq(&sample).and_then(|_| fresh.next());
            if let Some(row) = new {
                self.cache.put(key, &Arc::from(bytes(row)));
                place.copy_from_slice(row);
            } else if let Some(row) = self.cache.get(&key).filter(|row| row.len() == 4 * self.len) {
                let values = row.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value));
                place.iter_mut().zip(values).for_each(|(place, value)| *place = value);
            } else {
                let row = make(*sample)?;
                self.cache.put(key, &Arc::from(bytes(&row)));
                place.copy_from_slice(&row);
            }
        }
        Ok(values)
    }

    fn key(&self, sample: &Sample) -> Key {
        let variant = self.augmentations.key_of(sample.choice);
        Key::of(&[b"features", self.network.bytes(), self.images[sample.index as usize].bytes(), &variant])
    }
}

fn bytes(values: &[f32]) -> Vec<u8> {
    let mut bytes = vec![0; 4 * values.len()];
    bytes.as_chunks_mut().0.iter_mut().zip(values).for_each(|(place, value)| *place = value.to_le_bytes());
    bytes
}

/// All that features depend on besides the pixels: how these are standardised, the nodes up to the cut with their
/// weights and statistics, and what decides the last bits: this version of the program, the instruction set,
/// whether convolutions are exact, the precision. The output for fixed noise distinguishes builds of one version whose kernels round
/// differently.
fn key_of(network: &Network, cut: usize, loader: &Loader) -> Key {
    let (preprocessing, nodes) = (loader.preprocessing(), &network.nodes[..cut]);
    let machine =
        (env!("CARGO_PKG_VERSION"), InstructionSet::current().name(), network.algorithm == Algorithm::Direct);
    let machine = (machine, network.precision);
    let mut hash = Sha256::new();
    hash.update(format!(
        "{machine:?} {:?} {:?} {:?} {nodes:?}",
        preprocessing.mean, preprocessing.std, network.input
    ));
    for node in nodes {
        node.parameters.iter().for_each(|&p| hash.update(bytes(&network.parameters[p].value)));
        if let Some(norm) = network.norm(node) {
            hash.update(bytes(&norm.mean));
            hash.update(bytes(&norm.variance));
        }
    }
    let mut noise = vec![0.0; network.input.len()];
    Rng::new(0, Stream::Noise, 0, 0).fill_uniform(&mut noise);
    hash.update(bytes(&network.features(&noise, cut)));
    Key::of(&[b"network", &hash.finalize()])
}
