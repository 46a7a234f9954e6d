//! A step on a batch in parts, of which this process has some.

use crate::buckets::Buckets;
use crate::error::TrainError;
use crate::features::Input;
use crate::labels::MixedCrossEntropy;
use crate::step::{StepObserver, StepOutcome, StepPart, Trainer};
use crate::tree::Tree;
use std::sync::Arc;
use wellfit_cluster::NOTHING;
use wellfit_kernels::Buffer;
use wellfit_models::graph::Norm;
use wellfit_models::{DropoutKey, Gradients, Network};

impl Trainer<MixedCrossEntropy> {
    /// The gradients of a batch, over all processes: as [`gradients_from`](Self::gradients_from), but each part of the batch
    /// is normalised by its own statistics, and gradients are summed part by part.
    ///
    /// The outputs of all parts are brought together before the loss is computed, so it is that of the whole batch, on every
    /// process.
    pub(crate) fn gradients_of(
        &mut self,
        input: &Input,
        key: DropoutKey,
        observer: &mut dyn StepObserver,
    ) -> Result<(StepOutcome, Option<Gradients>), TrainError> {
        let values = (&input.values[..], input.value);
        if input.shards.count == 1 {
            return Ok(self.gradients_from(values, &input.labels, key, observer)?);
        }
        if self.team.sync_batch_norm {
            return self.gradients_together(input, key, observer);
        }
        let (n, width) = (input.labels.own.len(), self.network.outputs());
        let (shards, row) = (input.shards, self.network.shape(input.value).len());
        let (engine, norms) = (Arc::clone(&self.engine), self.network.norms.clone());
        let (mut outputs, mut statistics, mut passes) =
            (vec![NOTHING; n * width], Tree::default(), Vec::new());
        for (images, own) in input.parts(row) {
            self.network.norms.clone_from(&norms);
            let key = DropoutKey { row: images.start as u64, ..key };
            let pass = engine.forward(&mut self.network, own, input.value, key)?;
            outputs[images.start * width..images.end * width].copy_from_slice(pass.outputs());
            statistics.add(Buffer::from_slice(&moved(&self.network)));
            passes.push((images, pass));
        }
        self.network.norms = norms;
        let statistics =
            statistics.total().map_or_else(|| vec![NOTHING; moved(&self.network).len()], |sum| sum.to_vec());
        outputs.extend(statistics);
        let outputs = self.team.sum(outputs)?;
        let (outputs, statistics) = outputs.split_at(n * width);
        follow(&mut self.network, statistics, shards.used(n));
        let (outcome, gradient) = self.scored(outputs, &input.labels, observer);
        if !outcome.updated {
            return Ok((outcome, None));
        }
        let link = self.team.link.as_deref();
        let buckets = link.map(|link| Buckets::new(&self.network, link, self.team.reduce));
        let mut sums = Sums::new(&self.network, buckets, passes.len());
        for (images, pass) in passes {
            let gradient = Buffer::from_slice(&gradient[images.start * width..images.end * width]);
            pass.backward_each(&self.network, gradient, &mut |place, gradient| sums.add(place, gradient))?;
        }
        let gradients = sums.finish(&self.network)?;
        observer.done(StepPart::Gradients);
        Ok((outcome, Some(gradients)))
    }

    /// The outputs in evaluation mode for a whole batch, of which every process computes its own images.
    pub(crate) fn answers(&self, input: &Input) -> Result<Buffer, TrainError> {
        let own = if input.values.is_empty() {
            Buffer::default()
        } else {
            self.evaluate((&input.values, input.value))?
        };
        if input.shards.ranks == 1 {
            return Ok(own);
        }
        let (n, width) = (input.labels.own.len(), self.network.outputs());
        let mut outputs = vec![NOTHING; n * width];
        outputs[input.shards.own_images(n).start * width..][..own.len()].copy_from_slice(&own);
        Ok(Buffer::from_slice(&self.team.sum(outputs)?))
    }
}

/// The running statistics that training moves, one after the other.
fn moved(network: &Network) -> Vec<f32> {
    let trained = network.norms.iter().filter(|norm| !norm.frozen);
    trained.flat_map(|norm| norm.mean.iter().chain(&norm.variance)).copied().collect()
}

/// Take the mean of the running statistics that each of so many parts would have led to, from their `sums`.
fn follow(network: &mut Network, sums: &[f32], parts: usize) {
    let mut means = sums.iter().map(|sum| sum / parts as f32);
    for Norm { mean, variance, batches, .. } in network.norms.iter_mut().filter(|norm| !norm.frozen) {
        mean.iter_mut().chain(variance).zip(&mut means).for_each(|(own, mean)| *own = mean);
        *batches += 1;
    }
}

/// The gradients of each parameter, of which every part of this process gives one.
pub(crate) struct Sums<'a> {
    parts: usize,
    trees: Vec<(usize, Tree)>,
    /// To the other processes, where there are some.
    buckets: Option<Buckets<'a>>,
    /// The sums, where there are none.
    own: Vec<Option<Buffer>>,
}

impl<'a> Sums<'a> {
    /// Of so many parts here; `buckets` go to the other processes, where there are some.
    pub fn new(network: &Network, buckets: Option<Buckets<'a>>, parts: usize) -> Self {
        let trees = network.parameters.iter().map(|_| (0, Tree::default())).collect();
        let own = network.parameters.iter().map(|_| None).collect();
        Self { parts, trees, buckets, own }
    }

    /// The gradients of all parts here, of which there may be none: then other processes have some.
    pub fn add_all(&mut self, place: usize, gradients: Vec<Buffer>) {
        if let (true, Some(buckets)) = (gradients.is_empty(), &mut self.buckets) {
            return buckets.give_nothing(place);
        }
        gradients.into_iter().for_each(|gradient| self.add(place, gradient));
    }

    /// The gradient of the next part.
    fn add(&mut self, place: usize, gradient: Buffer) {
        let (given, tree) = &mut self.trees[place];
        tree.add(gradient);
        *given += 1;
        if *given == self.parts
            && let Some(sum) = std::mem::take(tree).total()
        {
            match &mut self.buckets {
                Some(buckets) => buckets.give(place, sum),
                None => self.own[place] = Some(sum),
            }
        }
    }

    /// The sums.
    pub fn finish(self, network: &Network) -> Result<Gradients, TrainError> {
        match self.buckets {
            Some(buckets) => Ok(buckets.sums(network)?),
            None => Ok(Gradients(self.own)),
        }
    }
}
