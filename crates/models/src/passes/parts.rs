//! A training pass over parts of one batch, side by side: each normalisation takes the statistics of all parts, which may lie
//! in other processes. As torch's `SyncBatchNorm`.

use super::backward::Returning;
use super::forward::{Recorded, Recording};
use super::{DropoutKey, Tape};
use crate::ModelError;
use crate::graph::{Network, Node, Value};
use crate::ops::{BatchNorm, Memory, Op};
use crate::plan::{Mode, Plan, Precision, Request, Step};
use std::sync::Arc;
use wellfit_kernels::norm::{Statistics, Sums};
use wellfit_kernels::{Buffer, Element, elementwise};

/// All parts of a batch, of which some are here.
pub trait Parts {
    /// What goes wrong, here or elsewhere.
    type Error: From<ModelError>;

    /// The samples in each part of the batch, in order.
    fn samples(&self) -> &[usize];

    /// The numbers of all parts, one after the other, from those of the parts here; each has `width`. All processes ask in
    /// the same order.
    ///
    /// # Errors
    /// When those of other parts cannot be had.
    fn gather(&mut self, own: &[Vec<f32>], width: usize) -> Result<Vec<f32>, Self::Error>;
}

/// Takes a parameter's place and its gradients in the parts here. Called where other processes call theirs, without any
/// where no part is here.
pub type PartsReady<'a> = dyn FnMut(usize, Vec<Buffer>) + 'a;

impl Network {
    /// As [`Network::forward_from`] for the parts of a batch that are here: from the value `cut`, the rows of each with its
    /// key. There may be none.
    ///
    /// # Errors
    /// As there, and when other parts cannot be reached.
    pub fn forward_parts<'a, P: Parts>(
        &mut self,
        cut: Value,
        own: &[(&'a [f32], DropoutKey)],
        all: &mut P,
    ) -> Result<Vec<Tape<'a>>, P::Error> {
        Ok(match self.precision {
            Precision::F32 => tapes(self.record_parts(cut, own, all)?, Recording::F32),
            Precision::Bf16 => tapes(self.record_parts(cut, own, all)?, Recording::Bf16),
        })
    }

    /// The gradients of all trainable parameters in each part, from those of the outputs; see
    /// [`Network::backward_each`].
    ///
    /// # Errors
    /// When other parts cannot be reached.
    pub fn backward_parts<P: Parts>(
        &self,
        cut: Value,
        own: Vec<(Tape<'_>, Buffer)>,
        all: &mut P,
        ready: &mut PartsReady<'_>,
    ) -> Result<(), P::Error> {
        match self.precision {
            Precision::F32 => {
                let f32s = own.into_iter().filter_map(|(tape, outputs)| match tape.recording {
                    Recording::F32(recorded) => Some(Returning::new(self, recorded, outputs)),
                    Recording::Bf16(_) => None,
                });
                self.return_parts(cut, f32s.collect(), all, ready)
            }
            Precision::Bf16 => {
                let bf16s = own.into_iter().filter_map(|(tape, outputs)| match tape.recording {
                    Recording::Bf16(recorded) => {
                        Some(Returning::new(self, recorded, elementwise::narrow(&outputs)))
                    }
                    Recording::F32(_) => None,
                });
                self.return_parts(cut, bf16s.collect(), all, ready)
            }
        }
    }

    fn record_parts<'a, P: Parts, E: Element>(
        &mut self,
        cut: Value,
        own: &[(&'a [f32], DropoutKey)],
        all: &mut P,
    ) -> Result<Vec<Recorded<'a, E>>, P::Error> {
        let row = self.shape(cut).len();
        let mut passes: Vec<Recorded<'a, E>> = own
            .iter()
            .map(|(value, _)| Recorded::new(self, value, self.plan_of(cut, value.len() / row)))
            .collect();
        let (plan, mut moved) = (self.any_plan(cut), Vec::new());
        let done = &mut |_: &Node| ();
        for (at, step) in plan.steps.iter().enumerate() {
            let Some((norm, op)) = self.measures(step) else {
                for (pass, &(_, key)) in passes.iter_mut().zip(own) {
                    let made = self.nodes[step.node].op.forward(&mut pass.step(self, at, key, done))?;
                    pass.keep(at, made);
                }
                continue;
            };
            let node = &self.nodes[step.node];
            let rows = all.samples().iter().sum::<usize>() * node.shape.pixels();
            if rows < 2 {
                return Err(ModelError::OneValuePerChannel { layer: node.name.clone() }.into());
            }
            let measured: Vec<_> = passes
                .iter()
                .zip(own)
                .map(|(pass, &(_, key))| BatchNorm::measure(&mut pass.step(self, at, key, done)))
                .collect();
            let found =
                measured.iter().map(|part| [&part.statistics.mean[..], &part.statistics.variance].concat());
            let statistics =
                joined(&found.collect::<Vec<_>>(), node.shape.channels, node.shape.pixels(), all)?;
            for ((pass, &(_, key)), mut part) in passes.iter_mut().zip(own).zip(measured) {
                part.statistics = statistics.clone();
                let made = op.normalise(&pass.step(self, at, key, done), part);
                pass.keep(at, made);
            }
            moved.push((norm, op, statistics, rows));
        }
        moved
            .iter()
            .for_each(|(norm, op, statistics, rows)| op.follow(&mut self.norms[*norm], statistics, *rows));
        Ok(passes)
    }

    fn return_parts<P: Parts, E: Element>(
        &self,
        cut: Value,
        mut passes: Vec<Returning<'_, E>>,
        all: &mut P,
        ready: &mut PartsReady<'_>,
    ) -> Result<(), P::Error> {
        let plan = self.any_plan(cut);
        for (at, step) in plan.steps.iter().enumerate().rev() {
            if plan.needs[step.output] {
                for (place, output) in step.made() {
                    match self.measures(step).filter(|_| place == step.node) {
                        Some((_, op)) => self.return_norm(op, (at, step), &mut passes, all)?,
                        None => {
                            passes.iter_mut().for_each(|pass| self.return_node(pass, at, (place, output)));
                        }
                    }
                }
                for place in step.parameters(self).filter(|&place| self.parameters[place].trainable) {
                    ready(
                        place,
                        passes.iter_mut().filter_map(|pass| pass.parameters[place].take()).collect(),
                    );
                }
            }
            passes.iter_mut().for_each(|pass| pass.free(at));
        }
        Ok(())
    }

    fn return_node<E: Element>(
        &self,
        pass: &mut Returning<'_, E>,
        at: usize,
        (place, output): (usize, Value),
    ) {
        if let Some((dy, masked)) = pass.flows.take(output) {
            let done = &mut |_: &Node| ();
            self.nodes[place].op.backward(&mut pass.step(self, at, (place, output, masked), done), dy);
        }
    }

    /// A normalisation's part of the backward pass: what its input's gradient needs are the sums over all parts.
    fn return_norm<P: Parts, E: Element>(
        &self,
        op: BatchNorm,
        (at, step): (usize, &Step),
        passes: &mut [Returning<'_, E>],
        all: &mut P,
    ) -> Result<(), P::Error> {
        let (node, done) = (&self.nodes[step.node], &mut |_: &Node| ());
        let mut halves = Vec::new();
        for pass in &mut *passes {
            let Some((mut dy, masked)) = pass.flows.take(step.output) else { continue };
            let place = (step.node, step.output, masked);
            let given = pass.step(self, at, place, done);
            let Memory::Statistics(statistics, _) = given.memory() else { continue };
            let (statistics, sums) = (statistics.clone(), op.sums(&given, statistics, &mut dy));
            halves.push((place, dy, statistics, sums));
        }
        let (channels, narrow) = (node.shape.channels, |sum: &f64| *sum as f32);
        let own =
            halves.iter().map(|(.., sums)| sums.of_g.iter().chain(&sums.of_product).map(narrow).collect());
        let found = all.gather(&own.collect::<Vec<_>>(), 2 * channels)?;
        let sum =
            |channel: usize| found[channel..].iter().step_by(2 * channels).map(|&part| f64::from(part)).sum();
        let joint = Sums {
            of_g: (0..channels).map(sum).collect(),
            of_product: (channels..2 * channels).map(sum).collect(),
            rows: (all.samples().iter().sum::<usize>() * node.shape.pixels()) as f64,
        };
        for (pass, (place, dy, statistics, own)) in passes.iter_mut().zip(halves) {
            op.backward_from(&mut pass.step(self, at, place, done), dy, &statistics, (&own, Some(&joint)));
        }
        Ok(())
    }

    /// The normalisation that a step makes by its batch's statistics, and the place of its running ones.
    fn measures(&self, step: &Step) -> Option<(usize, BatchNorm)> {
        let node = &self.nodes[step.node];
        let norm = node.norm.filter(|&norm| !self.norms[norm].frozen)?;
        if let Op::BatchNorm(op) = node.op { Some((norm, op)) } else { None }
    }

    fn plan_of(&self, cut: Value, batch: usize) -> Arc<Plan> {
        let nodes = cut..self.output();
        self.plan(&Request { mode: Mode::Training, batch, nodes, precision: self.precision })
    }

    /// A plan whose steps are those of every batch.
    fn any_plan(&self, cut: Value) -> Arc<Plan> {
        self.plan_of(cut, 2)
    }
}

/// The statistics of all parts, from mean and variance of each one here.
fn joined<P: Parts>(
    own: &[Vec<f32>],
    channels: usize,
    pixels: usize,
    all: &mut P,
) -> Result<Statistics, P::Error> {
    let found = all.gather(own, 2 * channels)?;
    let parts = found.chunks_exact(2 * channels).zip(all.samples()).map(|(part, samples)| {
        let (mean, variance) = part.split_at(channels);
        (mean, variance, samples * pixels)
    });
    Ok(Statistics::of_parts(parts))
}

fn tapes<'a, E: Element>(
    passes: Vec<Recorded<'a, E>>,
    recording: impl Fn(Recorded<'a, E>) -> Recording<'a>,
) -> Vec<Tape<'a>> {
    passes.into_iter().map(|recorded| recorded.tape(&recording)).collect()
}
