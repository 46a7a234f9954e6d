//! A device of Burn's as an engine: which networks it computes, and single passes.
//!
//! A single pass uploads the network for itself alone. What has many passes to do takes a [`State`], which holds the
//! network on the device.

use crate::link::Link;
use crate::passes;
use crate::state::State;
use burn_tensor::backend::AutodiffBackend;
use wellfit_kernels::Buffer;
use wellfit_models::graph::Value;
use wellfit_models::ops::Conv;
use wellfit_models::{
    DeviceState, DropoutKey, Engine, Gradients, ModelError, Network, Node, Op, Traffic, TrainingPass,
};

/// A device of one of Burn's backends.
#[derive(Debug)]
pub(crate) struct Gpu<B: AutodiffBackend> {
    link: Link<B::Device>,
}

/// A training pass of its own.
struct SinglePass<B: AutodiffBackend> {
    state: State<B>,
    outputs: Buffer,
}

impl<B: AutodiffBackend> Gpu<B> {
    pub(crate) fn new(name: String, device: B::Device) -> Self {
        Self { link: Link::new(name, device) }
    }

    fn state(&self, network: &Network) -> Result<State<B>, ModelError> {
        refuse_unknown(&self.link, network)?;
        self.link.guarded(|| Ok(State::new(self.link.clone(), network)))
    }
}

impl<B: AutodiffBackend> Engine for Gpu<B> {
    fn name(&self) -> String {
        self.link.name.clone()
    }

    /// Burn's kernels are chosen by the shape of a batch.
    fn rows_are_independent(&self) -> bool {
        false
    }

    fn evaluate(&self, network: &Network, value: &[f32], cut: Value) -> Result<Buffer, ModelError> {
        self.state(network)?.evaluate(network, value, cut)
    }

    fn forward<'a>(
        &'a self,
        network: &mut Network,
        value: &'a [f32],
        cut: Value,
        key: DropoutKey,
    ) -> Result<Box<dyn TrainingPass + 'a>, ModelError> {
        let mut state = self.state(network)?;
        let outputs = state.forward(network, value, cut, key)?;
        state.download_statistics(network)?;
        Ok(Box::new(SinglePass { state, outputs }))
    }

    fn upload(&self, network: &Network) -> Result<Option<Box<dyn DeviceState>>, ModelError> {
        Ok(Some(Box::new(self.state(network)?)))
    }

    fn traffic(&self) -> Traffic {
        self.link.traffic()
    }
}

impl<B: AutodiffBackend> TrainingPass for SinglePass<B> {
    fn outputs(&self) -> &[f32] {
        &self.outputs
    }

    fn backward(mut self: Box<Self>, network: &Network, outputs: Buffer) -> Result<Gradients, ModelError> {
        self.state.backward(network, &outputs)?;
        self.state.download_gradients(network)
    }
}

/// An operation that `passes` does not have is refused by name.
fn refuse_unknown<D>(link: &Link<D>, network: &Network) -> Result<(), ModelError> {
    let unknown = network.nodes.iter().find(|node| !passes::computes(&node.op));
    let problem = |node: &Node| format!("it cannot compute `{}` ({}) yet", node.name, node.op.kind());
    unknown.map_or(Ok(()), |node| Err(link.error(problem(node))))
}

/// Burn 0.21 finds no gradient of a convolution's input where the stride is larger than the kernel; `passes` has
/// another way for kernels of 1.
pub(crate) fn refuse_gaps<D>(link: &Link<D>, network: &Network) -> Result<(), ModelError> {
    let gap = network.nodes.iter().find(|node| match node.op {
        Op::Conv(Conv { kernel, stride, padding, .. }) => stride > kernel && (kernel > 1 || padding > 0),
        _ => false,
    });
    let problem =
        |node: &Node| format!("it cannot train `{}`, whose stride is larger than its kernel", node.name);
    gap.map_or(Ok(()), |node| Err(link.error(problem(node))))
}

/// The check that the processor makes during its pass.
pub(crate) fn refuse_single_values(network: &Network, batch: usize) -> Result<(), ModelError> {
    let single = network
        .nodes
        .iter()
        .find(|node| network.norm(node).is_some_and(|norm| !norm.frozen) && batch * node.shape.pixels() < 2);
    match single {
        Some(node) => Err(ModelError::OneValuePerChannel { layer: node.name.clone() }),
        None => Ok(()),
    }
}
