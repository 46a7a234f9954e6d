//! What goes to the device and what comes back.
//!
//! A pass uploads the parameters and its input. A training step downloads twice, whatever the network: the outputs
//! with the batch statistics, then the gradients. All else happens on the processor, as without a GPU.

use crate::passes::{self, Mode, run};
use burn_tensor::backend::{AutodiffBackend, Backend};
use burn_tensor::{Tensor, TensorData, Transaction};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use wellfit_kernels::Buffer;
use wellfit_kernels::norm::Statistics;
use wellfit_models::graph::Value;
use wellfit_models::ops::{BatchNorm, Conv};
use wellfit_models::{DropoutKey, Engine, Gradients, ModelError, Network, Node, Op, TrainingPass};

/// A device of one of Burn's backends.
#[derive(Debug)]
pub(crate) struct Gpu<B: AutodiffBackend> {
    name: String,
    device: B::Device,
}

/// A training pass whose values are on the device.
struct OnDevice<'a, B: AutodiffBackend> {
    gpu: &'a Gpu<B>,
    parameters: Vec<Tensor<B, 1>>,
    logits: Tensor<B, 1>,
    outputs: Vec<f32>,
}

impl<B: AutodiffBackend> Gpu<B> {
    pub(crate) fn new(name: String, device: B::Device) -> Self {
        Self { name, device }
    }

    /// Burn 0.21 finds no gradient of a convolution's input where the stride is larger than the kernel; `passes` has
    /// another way for kernels of 1.
    fn refuse_gaps(&self, network: &Network) -> Result<(), ModelError> {
        let gap = network.nodes.iter().find(|node| match node.op {
            Op::Conv(Conv { kernel, stride, padding, .. }) => stride > kernel && (kernel > 1 || padding > 0),
            _ => false,
        });
        let problem =
            |node: &Node| format!("it cannot train `{}`, whose stride is larger than its kernel", node.name);
        gap.map_or(Ok(()), |node| {
            Err(ModelError::Device { device: self.name.clone(), problem: problem(node) })
        })
    }

    /// An operation that `passes` does not have is refused by name.
    fn refuse_unknown(&self, network: &Network) -> Result<(), ModelError> {
        let unknown = network.nodes.iter().find(|node| !passes::computes(&node.op));
        let problem = |node: &Node| format!("it cannot compute `{}` ({}) yet", node.name, node.op.kind());
        unknown.map_or(Ok(()), |node| {
            Err(ModelError::Device { device: self.name.clone(), problem: problem(node) })
        })
    }

    /// A failure of the device, which Burn may report by a panic, as an error.
    fn guarded<T>(&self, work: impl FnOnce() -> Result<T, String>) -> Result<T, ModelError> {
        let failed = |problem| ModelError::Device { device: self.name.clone(), problem };
        caught(work).and_then(|done| done).map_err(failed)
    }
}

impl<B: AutodiffBackend> Engine for Gpu<B> {
    fn name(&self) -> String {
        self.name.clone()
    }

    /// Burn's kernels are chosen by the shape of a batch.
    fn rows_are_independent(&self) -> bool {
        false
    }

    fn evaluate(&self, network: &Network, value: &[f32], cut: Value) -> Result<Buffer, ModelError> {
        self.refuse_unknown(network)?;
        self.guarded(|| {
            let parameters = upload::<B::InnerBackend>(network, &self.device);
            let (logits, _) = run(network, &parameters, flat(value, &self.device), cut, Mode::Evaluation);
            let read = download(vec![logits])?;
            Ok(Buffer::from_slice(&read[0]))
        })
    }

    fn forward<'a>(
        &'a self,
        network: &mut Network,
        value: &'a [f32],
        cut: Value,
        key: DropoutKey,
    ) -> Result<Box<dyn TrainingPass + 'a>, ModelError> {
        refuse_single_values(network, value.len() / network.shape(cut).len())?;
        self.refuse_gaps(network)?;
        self.refuse_unknown(network)?;
        let (pass, seen) = self.guarded(|| {
            let tracked = upload::<B>(network, &self.device).into_iter().zip(&network.parameters);
            let parameters: Vec<_> =
                tracked.map(|(tensor, parameter)| tensor.set_require_grad(parameter.trainable)).collect();
            let (logits, seen) =
                run(network, &parameters, flat(value, &self.device), cut, Mode::Training(key));
            let moments = seen.iter().flat_map(|seen| [seen.mean.clone(), seen.variance.clone()]);
            let tensors = moments.chain([logits.clone()]).map(Tensor::inner).collect();
            let mut read = download(tensors)?;
            let outputs = read.pop().unwrap_or_default();
            let places: Vec<(usize, BatchNorm, usize)> =
                seen.iter().map(|seen| (seen.norm, seen.op, seen.rows)).collect();
            Ok((OnDevice { gpu: self, parameters, logits, outputs }, places.into_iter().zip(pairs(read))))
        })?;
        for ((norm, op, rows), statistics) in seen {
            op.follow(&mut network.norms[norm], &statistics, rows);
        }
        Ok(Box::new(pass))
    }
}

impl<B: AutodiffBackend> TrainingPass for OnDevice<'_, B> {
    fn outputs(&self) -> &[f32] {
        &self.outputs
    }

    fn backward(self: Box<Self>, network: &Network, outputs: Buffer) -> Result<Gradients, ModelError> {
        let Self { gpu, parameters, logits, .. } = *self;
        gpu.guarded(|| {
            // The gradient of Σ gᵢ·yᵢ by the outputs y is g.
            let mut found = (logits * flat(&outputs, &gpu.device)).sum().backward();
            let gradients: Vec<_> =
                parameters.iter().map(|parameter| parameter.grad_remove(&mut found)).collect();
            drop(found);
            let places: Vec<bool> = gradients.iter().map(Option::is_some).collect();
            let mut read = download(gradients.into_iter().flatten().collect())?.into_iter();
            let mut next = |there: bool| there.then(|| read.next()).flatten();
            let gradients = places.into_iter().zip(&network.parameters).map(|(there, parameter)| {
                next(there)
                    .map(|gradient| Buffer::from_slice(&gradient))
                    .or_else(|| parameter.trainable.then(|| Buffer::zeroed(parameter.value.len())))
            });
            Ok(Gradients(gradients.collect()))
        })
    }
}

/// Values on the device, in a row as they are.
fn flat<B: Backend>(values: &[f32], device: &B::Device) -> Tensor<B, 1> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}

/// All parameters in their places, in our layout.
fn upload<B: Backend>(network: &Network, device: &B::Device) -> Vec<Tensor<B, 1>> {
    network.parameters.iter().map(|parameter| flat(&parameter.value, device)).collect()
}

/// The values of tensors, in one read.
fn download<B: Backend>(tensors: Vec<Tensor<B, 1>>) -> Result<Vec<Vec<f32>>, String> {
    let transaction = tensors.into_iter().fold(Transaction::default(), Transaction::register);
    let read = transaction.try_execute().map_err(|error| format!("{error:?}"))?;
    read.into_iter().map(|data| data.into_vec().map_err(|error| format!("{error:?}"))).collect()
}

/// Means and variances in turn, as statistics.
fn pairs(read: Vec<Vec<f32>>) -> Vec<Statistics> {
    let mut read = read.into_iter();
    std::iter::from_fn(|| Some(Statistics { mean: read.next()?, variance: read.next()? })).collect()
}

/// The check that the processor makes during its pass.
fn refuse_single_values(network: &Network, batch: usize) -> Result<(), ModelError> {
    let single = network
        .nodes
        .iter()
        .find(|node| network.norm(node).is_some_and(|norm| !norm.frozen) && batch * node.shape.pixels() < 2);
    match single {
        Some(node) => Err(ModelError::OneValuePerChannel { layer: node.name.clone() }),
        None => Ok(()),
    }
}

/// What `work` gives, or the words of its panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| words(&*panic))
}

/// The words of a panic.
pub(crate) fn words(panic: &(dyn Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    literal
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no reason given".to_owned())
}
