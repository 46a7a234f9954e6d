//! A step on a batch in parts that are normalised together (SyncBatchNorm).

use crate::buckets::Buckets;
use crate::error::TrainError;
use crate::features::Input;
use crate::labels::MixedCrossEntropy;
use crate::sharded::Sums;
use crate::step::{StepObserver, StepOutcome, StepPart, Trainer};
use crate::team::Team;
use std::ops::Range;
use wellfit_cluster::NOTHING;
use wellfit_data::Shards;
use wellfit_kernels::Buffer;
use wellfit_models::{DropoutKey, Gradients, Parts};

impl Trainer<MixedCrossEntropy> {
    /// As [`gradients_of`](Self::gradients_of), with each channel's mean and variance over the whole batch: what the parts
    /// compute is what one process would compute from all of it, but for the order of sums.
    pub(crate) fn gradients_together(
        &mut self,
        input: &Input,
        key: DropoutKey,
        observer: &mut dyn StepObserver,
    ) -> Result<(StepOutcome, Option<Gradients>), TrainError> {
        let (n, width) = (input.labels.own.len(), self.network.outputs());
        let (shards, row) = (input.shards, self.network.shape(input.value).len());
        let key_of = |images: &Range<usize>| DropoutKey { row: images.start as u64, ..key };
        let (parts, own): (Vec<_>, Vec<_>) =
            input.parts(row).map(|(images, values)| (images.clone(), (values, key_of(&images)))).unzip();
        let team = self.team.clone();
        let mut all = AllParts::new(&team, shards, n);
        let tapes = self.network.forward_parts(input.value, &own, &mut all)?;
        let mut outputs = vec![NOTHING; n * width];
        for (images, tape) in parts.iter().zip(&tapes) {
            outputs[images.start * width..images.end * width].copy_from_slice(tape.outputs());
        }
        let outputs = team.sum(outputs)?;
        let (outcome, gradient) = self.scored(&outputs, &input.labels, observer);
        if !outcome.updated {
            return Ok((outcome, None));
        }
        let slopes = parts
            .iter()
            .map(|images| Buffer::from_slice(&gradient[images.start * width..images.end * width]));
        let own = tapes.into_iter().zip(slopes).collect();
        let buckets = team.link.as_deref().map(|link| Buckets::new(&self.network, link, team.reduce));
        let mut sums = Sums::new(&self.network, buckets, parts.len());
        self.network.backward_parts(input.value, own, &mut all, &mut |place, gradients| {
            sums.add_all(place, gradients);
        })?;
        let gradients = sums.finish(&self.network)?;
        observer.done(StepPart::Gradients);
        Ok((outcome, Some(gradients)))
    }
}

/// The parts of a batch, wherever they are computed.
struct AllParts<'a> {
    team: &'a Team,
    /// Those of this process.
    own: Range<usize>,
    samples: Vec<usize>,
}

impl<'a> AllParts<'a> {
    fn new(team: &'a Team, shards: Shards, n: usize) -> Self {
        let samples = (0..shards.used(n)).map(|part| shards.images(part, n).len()).collect();
        Self { team, own: shards.own(n), samples }
    }
}

impl Parts for AllParts<'_> {
    type Error = TrainError;

    fn samples(&self) -> &[usize] {
        &self.samples
    }

    /// Each process puts its numbers into their places; the sum has all.
    fn gather(&mut self, own: &[Vec<f32>], width: usize) -> Result<Vec<f32>, TrainError> {
        let mut all = vec![NOTHING; self.samples.len() * width];
        for (part, numbers) in self.own.clone().zip(own) {
            all[part * width..][..width].copy_from_slice(numbers);
        }
        Ok(self.team.sum(all)?)
    }
}
