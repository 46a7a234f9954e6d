//! Batch normalisation (Ioffe & Szegedy 2015, arXiv:1502.03167): torch's `BatchNorm1d` and `BatchNorm2d`.
//!
//! The plan lets it run with its neighbours: the convolution or linear layer before it, the residual sum and the ReLU
//! or the smooth activation behind it. In evaluation all of that is one product. In training the product also computes each channel's
//! moments, and normalisation, sum and ReLU are one pass over memory.

use super::product::{self, Kernel};
use super::{Backward, Forward, Made, Memory, Operation};
use crate::ModelError;
use crate::graph::{Init, Layout, Norm, ParameterSpec, Shape};
use crate::onnx::{Attribute, Graph, Tensor};
use crate::plan::Mode;
use wellfit_kernels::activation;
use wellfit_kernels::conv::BehindNorm;
use wellfit_kernels::norm::{self, Passed, Statistics};
use wellfit_kernels::{Buffer, Element, Epilogue};

/// y = γ·(x − μ)/√(σ² + ε) + β, with mean and variance of each channel over the batch in training and the running
/// ones in evaluation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BatchNorm {
    /// ε, added to the variance.
    pub eps: f32,
    /// How far the running statistics move towards a batch's.
    pub momentum: f32,
}

/// torch's: ε = 1e-5, momentum 0.1.
impl Default for BatchNorm {
    fn default() -> Self {
        Self { eps: 1e-5, momentum: 0.1 }
    }
}

impl BatchNorm {
    /// Move a layer's running statistics towards those of a batch with `rows` values a channel.
    pub fn follow(&self, norm: &mut Norm, statistics: &Statistics, rows: usize) {
        norm.batches += 1;
        let momentum = if norm.cumulative { 1.0 / norm.batches as f32 } else { self.momentum };
        statistics.update_running(&mut norm.mean, &mut norm.variance, momentum, rows);
    }

    /// The layer with its running statistics as a scale and a shift, to be folded into the product before it.
    fn evaluate<E: Element>(&self, step: &Forward<'_, E>) -> Buffer<E> {
        let running = running(step.norm());
        let (scale, mut shift) =
            norm::scale_and_shift(step.parameter(0), step.parameter(1), &running, self.eps);
        let (residual, relu) = (step.step.residual.map(|value| step.value(value)), step.step.relu);
        let network = step.network;
        let before = step.step.product.map(|place| &network.nodes[place]);
        let kernel = before.and_then(|node| Some((node, Kernel::of(network, node, step.batch())?)));
        let mut y = if let Some((node, kernel)) = kernel {
            if let Some(bias) = product::bias(network, node) {
                shift.iter_mut().zip(bias).zip(&scale).for_each(|((shift, b), s)| *shift += b * s);
            }
            let (x, weight) = (step.value(node.inputs[0]), &network.parameters[node.parameters[0]].value);
            let epilogue = Epilogue { scale: Some(&scale), bias: Some(&shift), residual, relu };
            kernel.forward_with(x, weight, epilogue)
        } else {
            let epilogue = Epilogue { scale: Some(&scale), bias: Some(&shift), residual, relu };
            norm::affine(step.x(0), step.node().shape.channels, epilogue)
        };
        if let Some(swish) = step.step.swish {
            activation::swish_in_place(swish, &mut y);
        }
        y
    }

    /// The output of the product before it in training, with its statistics unless the running ones are taken.
    fn product<E: Element>(
        step: &mut Forward<'_, E>,
        frozen: bool,
    ) -> Option<(Buffer<E>, Option<Statistics>)> {
        let network = step.network;
        let node = &network.nodes[step.step.product?];
        let kernel = Kernel::of(network, node, step.batch())?;
        let (x, weight) = (step.value(node.inputs[0]), &network.parameters[node.parameters[0]].value);
        let bias = product::bias(network, node);
        let made = if frozen {
            (kernel.forward_with(x, weight, Epilogue { bias, ..Epilogue::default() }), None)
        } else {
            let (y, statistics) = kernel.forward_with_statistics(x, weight, bias);
            (y, Some(statistics))
        };
        (step.done)(node);
        Some(made)
    }
}

impl Operation for BatchNorm {
    fn kind(&self) -> &'static str {
        "norm"
    }

    fn describe(&self, inputs: &[Shape], output: Shape) -> String {
        let Self { eps, momentum } = self;
        format!(
            "BatchNorm{}d({}, eps={eps:e}, momentum={momentum}, affine=True, track_running_stats=True)",
            if inputs[0].pixels() == 1 { 1 } else { 2 },
            output.channels
        )
    }

    fn shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn parameters(&self, inputs: &[Shape]) -> Vec<ParameterSpec> {
        let vector = |suffix, value| ParameterSpec {
            suffix,
            shape: vec![inputs[0].channels],
            layout: Layout::Plain,
            init: Init::Constant(value),
        };
        vec![vector("weight", 1.0), vector("bias", 0.0)]
    }

    fn has_running_statistics(&self) -> bool {
        true
    }

    fn forward<E: Element>(&self, step: &mut Forward<'_, E>) -> Result<Made<E>, ModelError> {
        if step.step.folded {
            return Ok(self.evaluate(step).into());
        }
        let node = step.node();
        let training = step.plan.mode == Mode::Training;
        let frozen = step.norm().is_some_and(|norm| norm.frozen || !training);
        if step.batch() * node.shape.pixels() < 2 && !frozen {
            return Err(ModelError::OneValuePerChannel { layer: node.name.clone() });
        }
        let (product, known) = Self::product(step, frozen).unzip();
        let x = product.as_deref().unwrap_or_else(|| step.x(0));
        let statistics = match known.flatten() {
            _ if frozen => running(step.norm()),
            Some(known) => known,
            None => norm::statistics(x, node.shape.channels),
        };
        let (scale, shift) =
            norm::scale_and_shift(step.parameter(0), step.parameter(1), &statistics, self.eps);
        let residual = step.step.residual.map(|value| step.value(value));
        let epilogue = Epilogue { scale: Some(&scale), bias: Some(&shift), residual, relu: step.step.relu };
        let value = match step.step.swish {
            Some(swish) => norm::affine_swish(x, &scale, &shift, swish),
            None => norm::affine(x, node.shape.channels, epilogue),
        };
        Ok(Made { product, memory: Memory::Statistics(statistics, !frozen), ..Made::from(value) })
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, mut dy: Buffer<E>) {
        let Memory::Statistics(statistics, of_batch) = step.memory() else { return };
        let (x, y, gamma) = (step.x(0), step.y(), step.parameter(0));
        let (scale, shift) = norm::scale_and_shift(gamma, step.parameter(1), statistics, self.eps);
        let passed = match (step.step.relu && !step.masked, step.step.residual, step.step.swish) {
            (_, _, Some(swish)) => Passed::Swish(swish, &scale, &shift),
            (false, _, None) => Passed::All,
            (true, None, None) => Passed::Affine(&scale, &shift),
            (true, Some(_), None) => Passed::Output(y),
        };
        let found = norm::backward(&mut dy, x, passed, gamma, statistics, self.eps, *of_batch);
        for (i, gradient) in [found.gamma, found.beta].into_iter().enumerate() {
            if step.trains(i) {
                step.give_parameter(i, gradient);
            }
        }
        let residual = step.step.residual.filter(|&value| step.plan.needs[value]);
        if let Some(before) = step.plan.joint(step.network, step.step) {
            let network = step.network;
            let node = &network.nodes[before.place];
            let (input, weight) = (node.inputs[0], node.parameters[0]);
            let behind = BehindNorm { y: x, dy: &dy, gradient: &found.input };
            let from = step.values.get(input);
            let to = step.flows.destination(input, from);
            let gradient = before.shape.gradients(from, &network.parameters[weight].value, behind, to);
            step.parameters[weight] = Some(gradient);
            (step.done)(node);
        } else if step.wants(0) {
            let dx = match residual {
                Some(_) => found.input.beside(&dy, x),
                None => found.input.over(std::mem::take(&mut dy), x),
            };
            step.give(0, dx);
        }
        if let Some(value) = residual {
            step.flows.add(value, dy);
        }
    }

    fn onnx(&self, graph: &mut Graph<'_>) -> Tensor {
        let [mean, variance] = graph.running_statistics();
        let inputs = [graph.input(0), graph.parameter(0), graph.parameter(1), mean, variance];
        graph.add("BatchNormalization", &inputs, vec![("epsilon", Attribute::Float(self.eps))])
    }
}

fn running(norm: Option<&Norm>) -> Statistics {
    let (mean, variance) = norm.map(|norm| (norm.mean.clone(), norm.variance.clone())).unwrap_or_default();
    Statistics { mean, variance }
}
