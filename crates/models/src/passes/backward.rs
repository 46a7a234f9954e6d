//! The backward pass.

use super::forward::{Recorded, Recording};
use super::{Flows, Tape};
use crate::graph::{Network, Node, Value};
use crate::ops::Backward;
use std::sync::Arc;
use wellfit_kernels::average::move_towards;
use wellfit_kernels::{Buffer, Element, elementwise, optim};

/// The gradient of each parameter, in its place; none for frozen ones.
#[derive(Debug)]
pub struct Gradients(pub Vec<Option<Buffer>>);

impl Gradients {
    /// Move towards the gradients of another batch by `share` of the difference: the running mean of several batches, if
    /// `share` is what part of all images so far the new ones are.
    pub fn take(&mut self, other: &Self, share: f32) {
        let pairs = self.0.iter_mut().flatten().zip(other.0.iter().flatten());
        pairs.for_each(|(mean, new)| move_towards(mean, new, share));
    }

    /// The Euclidean norm of all gradients together.
    #[must_use]
    pub fn norm(&self) -> f64 {
        optim::global_norm(self.0.iter().flatten().map(|g| &**g))
    }

    /// Scale all gradients so that their common norm is at most `limit`, as
    /// `torch.nn.utils.clip_grad_norm_`. Returns the norm before scaling.
    pub fn clip(&mut self, limit: f64) -> f64 {
        let norm = self.norm();
        let factor = optim::clip_factor(norm, limit);
        if factor < 1.0 {
            self.0.iter_mut().flatten().for_each(|g| g.iter_mut().for_each(|g| *g *= factor));
        }
        norm
    }
}

/// Sees a parameter's gradient as soon as nothing more is added to it, with the parameter's place.
pub type Ready<'a> = dyn FnMut(usize, Buffer) + 'a;

impl Network {
    /// The gradients of all trainable parameters, from the gradient of the outputs `[N, classes]`. The tape
    /// is used up: a value is freed after its last use.
    #[must_use]
    pub fn backward(&self, tape: Tape<'_>, outputs: Buffer) -> Gradients {
        self.backward_watched(tape, outputs, &mut |_| ())
    }

    /// [`Self::backward`] that calls `done` after each node, for a profile.
    #[must_use]
    pub fn backward_watched(
        &self,
        tape: Tape<'_>,
        outputs: Buffer,
        done: &mut dyn FnMut(&Node),
    ) -> Gradients {
        match tape.recording {
            Recording::F32(recorded) => self.backward_in(recorded, outputs, done, None).0,
            Recording::Bf16(recorded) => {
                self.backward_in(recorded, elementwise::narrow(&outputs), done, None).0
            }
        }
    }

    /// [`Self::backward`] that hands out each gradient while those of earlier layers are still computed.
    pub fn backward_each(&self, tape: Tape<'_>, outputs: Buffer, ready: &mut Ready<'_>) {
        let done = &mut |_: &Node| ();
        match tape.recording {
            Recording::F32(recorded) => drop(self.backward_in(recorded, outputs, done, Some(ready))),
            Recording::Bf16(recorded) => {
                drop(self.backward_in(recorded, elementwise::narrow(&outputs), done, Some(ready)));
            }
        }
    }

    /// The gradients of the parameters, unless they are handed out as soon as they are `ready`, and that of the value the
    /// pass started from, where its plan asks for it.
    pub(super) fn backward_in<E: Element>(
        &self,
        tape: Recorded<'_, E>,
        outputs: Buffer<E>,
        done: &mut dyn FnMut(&Node),
        mut ready: Option<&mut Ready<'_>>,
    ) -> (Gradients, Option<Buffer<E>>) {
        let plan = Arc::clone(&tape.plan);
        let mut pass = Returning::new(self, tape, outputs);
        for (at, step) in plan.steps.iter().enumerate().rev() {
            if plan.needs[step.output] {
                for (place, output) in step.made() {
                    let Some((dy, masked)) = pass.flows.take(output) else { continue };
                    let node = &self.nodes[place];
                    node.op.backward(&mut pass.step(self, at, (place, output, masked), done), dy);
                    done(node);
                }
            }
            if let Some(ready) = &mut ready {
                for place in step.parameters(self) {
                    pass.parameters[place].take().into_iter().for_each(|gradient| ready(place, gradient));
                }
            }
            pass.free(at);
        }
        let start = pass.flows.take(plan.nodes.start).map(|(gradient, _)| gradient);
        (Gradients(pass.parameters), start)
    }
}

/// A backward pass under way.
pub(super) struct Returning<'v, E: Element> {
    tape: Recorded<'v, E>,
    pub flows: Flows<E>,
    /// The gradient of each parameter.
    pub parameters: Vec<Option<Buffer>>,
}

impl<'v, E: Element> Returning<'v, E> {
    /// Before the last step, with the gradient of the outputs.
    pub fn new(network: &Network, tape: Recorded<'v, E>, outputs: Buffer<E>) -> Self {
        let flows = Flows::new(network, &tape.plan, outputs);
        Self { tape, flows, parameters: network.parameters.iter().map(|_| None).collect() }
    }

    /// What the node at `place`, which runs in step `at`, gets for the gradient of its `output`; `masked` says whether that is
    /// the gradient of a ReLU's own input.
    pub fn step<'s>(
        &'s mut self,
        network: &'s Network,
        at: usize,
        (place, output, masked): (usize, Value, bool),
        done: &'s mut dyn FnMut(&Node),
    ) -> Backward<'s, 'v, E> {
        let Self { tape: Recorded { plan, values, memories, .. }, flows, parameters } = self;
        Backward {
            network,
            plan,
            step: &plan.steps[at],
            node: &network.nodes[place],
            output,
            values,
            memory: &memories[at],
            flows,
            parameters,
            masked,
            done,
        }
    }

    /// Free what is of no more use after step `at`.
    pub fn free(&mut self, at: usize) {
        self.tape.plan.freed_behind(at).iter().for_each(|&value| self.tape.values.free(value));
    }
}
