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
use wellfit_kernels::norm::{self, Passed, Statistics, Sums};
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

    /// Whether a step normalises by the statistics of its batch.
    fn measures<E: Element>(step: &Forward<'_, E>) -> bool {
        step.plan.mode == Mode::Training && !step.norm().is_some_and(|norm| norm.frozen)
    }

    /// The first half of the forward pass: what is to be normalised, and by which statistics.
    pub(crate) fn measure<E: Element>(step: &mut Forward<'_, E>) -> Measured<E> {
        let of_batch = Self::measures(step);
        let (product, known) = Self::product(step, !of_batch).unzip();
        let x = product.as_deref().unwrap_or_else(|| step.x(0));
        let statistics = match known.flatten() {
            _ if !of_batch => running(step.norm()),
            Some(known) => known,
            None => norm::statistics(x, step.node().shape.channels),
        };
        Measured { product, statistics, of_batch }
    }

    /// The second half.
    pub(crate) fn normalise<E: Element>(&self, step: &Forward<'_, E>, measured: Measured<E>) -> Made<E> {
        let Measured { product, statistics, of_batch } = measured;
        let x = product.as_deref().unwrap_or_else(|| step.x(0));
        let (scale, shift) =
            norm::scale_and_shift(step.parameter(0), step.parameter(1), &statistics, self.eps);
        let residual = step.step.residual.map(|value| step.value(value));
        let epilogue = Epilogue { scale: Some(&scale), bias: Some(&shift), residual, relu: step.step.relu };
        let value = match step.step.swish {
            Some(swish) => norm::affine_swish(x, &scale, &shift, swish),
            None => norm::affine(x, step.node().shape.channels, epilogue),
        };
        Made { product, memory: Memory::Statistics(statistics, of_batch), ..Made::from(value) }
    }

    /// The first half of the backward pass: what the gradients need to know of all rows.
    pub(crate) fn sums<E: Element>(
        &self,
        step: &Backward<'_, '_, E>,
        statistics: &Statistics,
        dy: &mut Buffer<E>,
    ) -> Sums {
        let (scale, shift) =
            norm::scale_and_shift(step.parameter(0), step.parameter(1), statistics, self.eps);
        Sums::new(dy, step.x(0), passed(step, (&scale, &shift)), &statistics.mean)
    }

    /// The second half, from the sums over the rows here and over all rows that the statistics are of.
    pub(crate) fn backward_from<E: Element>(
        &self,
        step: &mut Backward<'_, '_, E>,
        mut dy: Buffer<E>,
        statistics: &Statistics,
        sums: (&Sums, Option<&Sums>),
    ) {
        let (x, gamma) = (step.x(0), step.parameter(0));
        let (scale, shift) = norm::scale_and_shift(gamma, step.parameter(1), statistics, self.eps);
        let found = norm::backward_from(sums, passed(step, (&scale, &shift)), gamma, statistics, self.eps);
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
}

/// What is to be normalised: the output of the product before, where that runs with it, and the statistics, which are
/// those of the batch or the running ones.
pub(crate) struct Measured<E: Element> {
    product: Option<Buffer<E>>,
    pub statistics: Statistics,
    of_batch: bool,
}

/// Where a gradient passes what is behind the normalisation, of which scale and shift are given.
fn passed<'s, 'a: 's, E: Element>(
    step: &Backward<'a, '_, E>,
    (scale, shift): (&'s [f32], &'s [f32]),
) -> Passed<'s, E> {
    match (step.step.relu && !step.masked, step.step.residual, step.step.swish) {
        (_, _, Some(swish)) => Passed::Swish(swish, scale, shift),
        (false, _, None) => Passed::All,
        (true, None, None) => Passed::Affine(scale, shift),
        (true, Some(_), None) => Passed::Output(step.y()),
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
        if step.batch() * step.node().shape.pixels() < 2 && Self::measures(step) {
            return Err(ModelError::OneValuePerChannel { layer: step.node().name.clone() });
        }
        let measured = Self::measure(step);
        Ok(self.normalise(step, measured))
    }

    fn backward<E: Element>(&self, step: &mut Backward<'_, '_, E>, mut dy: Buffer<E>) {
        let Memory::Statistics(statistics, of_batch) = step.memory() else { return };
        let sums = self.sums(step, statistics, &mut dy);
        self.backward_from(step, dy, statistics, (&sums, of_batch.then_some(&sums)));
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
