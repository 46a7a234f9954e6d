//! A network on a device: parameters, running statistics, moments. They go up once and come back when somebody asks.
//!
//! A training step uploads its images and the gradient of the outputs, and downloads the outputs; dropout adds its
//! masks, which are made on the processor, and clipping downloads one number a parameter.

use crate::engine::{refuse_gaps, refuse_single_values};
use crate::link::Link;
use crate::optim;
use crate::passes::{Mode, Running, Seen, Weights, run};
use burn_tensor::Tensor;
use burn_tensor::backend::AutodiffBackend;
use std::fmt;
use wellfit_kernels::Buffer;
use wellfit_models::graph::Value;
use wellfit_models::{DeviceState, DropoutKey, Gradients, ModelError, Network, Optimizer};

/// A network in the memory of a device of one of Burn's backends.
pub(crate) struct State<B: AutodiffBackend> {
    link: Link<B::Device>,
    weights: Weights<B::InnerBackend>,
    /// The moments of each parameter, once a step needed them.
    moments: Option<Vec<Vec<Tensor<B::InnerBackend, 1>>>>,
    /// The last forward pass.
    pass: Option<Pass<B>>,
    /// The gradient of each parameter that is trained, after the last backward pass.
    gradients: Option<Vec<Option<Tensor<B::InnerBackend, 1>>>>,
    /// Whether anything has changed since it was last the same as on the processor.
    changed: bool,
}

/// What a backward pass needs.
struct Pass<B: AutodiffBackend> {
    parameters: Vec<Tensor<B, 1>>,
    outputs: Tensor<B, 1>,
}

impl<B: AutodiffBackend> fmt::Debug for State<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("link", &self.link)
            .field("changed", &self.changed)
            .finish_non_exhaustive()
    }
}

impl<B: AutodiffBackend> State<B> {
    /// A copy of the network.
    pub(crate) fn new(link: Link<B::Device>, network: &Network) -> Self {
        let weights = Weights {
            parameters: network.parameters.iter().map(|parameter| link.upload(&parameter.value)).collect(),
            running: network
                .norms
                .iter()
                .map(|norm| Running { mean: link.upload(&norm.mean), variance: link.upload(&norm.variance) })
                .collect(),
        };
        Self { link, weights, moments: None, pass: None, gradients: None, changed: false }
    }

    /// The running statistics, into the network.
    pub(crate) fn download_statistics(&self, network: &mut Network) -> Result<(), ModelError> {
        let moved = |place: usize| !network.norms[place].frozen;
        let places: Vec<usize> = (0..network.norms.len()).filter(|&place| moved(place)).collect();
        let pair = |&place: &usize| {
            let Running { mean, variance } = &self.weights.running[place];
            [mean.clone(), variance.clone()]
        };
        let mut read = self.read(places.iter().flat_map(pair).collect())?.into_iter();
        for place in places {
            let norm = &mut network.norms[place];
            [&mut norm.mean, &mut norm.variance].into_iter().zip(&mut read).for_each(|(to, from)| *to = from);
        }
        Ok(())
    }

    /// The gradients of the last backward pass.
    pub(crate) fn download_gradients(&mut self, network: &Network) -> Result<Gradients, ModelError> {
        let gradients = self.taken_gradients()?;
        let places: Vec<bool> = gradients.iter().map(Option::is_some).collect();
        let mut read = self.read(gradients.into_iter().flatten().collect())?.into_iter();
        let mut next = |there: bool| there.then(|| read.next()).flatten();
        let gradients = places.into_iter().zip(&network.parameters).map(|(there, parameter)| {
            next(there)
                .map(|gradient| Buffer::from_slice(&gradient))
                .or_else(|| parameter.trainable.then(|| Buffer::zeroed(parameter.value.len())))
        });
        Ok(Gradients(gradients.collect()))
    }

    fn taken_gradients(&mut self) -> Result<Vec<Option<Tensor<B::InnerBackend, 1>>>, ModelError> {
        self.gradients.take().ok_or_else(|| self.link.error("there was no backward pass before"))
    }

    fn read(&self, tensors: Vec<Tensor<B::InnerBackend, 1>>) -> Result<Vec<Vec<f32>>, ModelError> {
        self.link.guarded(|| self.link.download(tensors))
    }

    /// Move the running statistics towards those of the batch.
    fn follow(&mut self, seen: Vec<Seen<B>>) {
        for Seen { norm, op, rows, mean, variance } in seen {
            let unbiased = rows as f32 / (rows as f32 - 1.0);
            let running = &mut self.weights.running[norm];
            let step = |old: &Tensor<B::InnerBackend, 1>, new: Tensor<B::InnerBackend, 1>| {
                old.clone() + (new - old.clone()) * op.momentum
            };
            running.mean = step(&running.mean, mean.inner());
            running.variance = step(&running.variance, variance.inner() * unbiased);
        }
    }
}

impl<B: AutodiffBackend> DeviceState for State<B> {
    fn evaluate(&self, network: &Network, value: &[f32], cut: Value) -> Result<Buffer, ModelError> {
        let outputs = self.link.guarded(|| {
            let (outputs, _) = run(network, &self.weights, &self.link, (value, cut), Mode::Evaluation);
            self.link.download(vec![outputs])
        })?;
        Ok(Buffer::from_slice(&outputs[0]))
    }

    fn forward(
        &mut self,
        network: &mut Network,
        value: &[f32],
        cut: Value,
        key: DropoutKey,
    ) -> Result<Buffer, ModelError> {
        refuse_single_values(network, value.len() / network.shape(cut).len())?;
        refuse_gaps(&self.link, network)?;
        (self.pass, self.gradients, self.changed) = (None, None, true);
        let link = self.link.clone();
        let (read, norms) = link.guarded(|| {
            let weights = self.weights.tracked::<B>(network);
            let (outputs, seen) = run(network, &weights, &link, (value, cut), Mode::Training(key));
            let norms: Vec<usize> = seen.iter().map(|seen| seen.norm).collect();
            self.follow(seen);
            self.pass = Some(Pass { parameters: weights.parameters, outputs: outputs.clone() });
            Ok((link.download(vec![outputs.inner()])?, norms))
        })?;
        norms.into_iter().for_each(|norm| network.norms[norm].batches += 1);
        Ok(Buffer::from_slice(&read[0]))
    }

    fn backward(&mut self, _: &Network, outputs: &[f32]) -> Result<(), ModelError> {
        let Some(pass) = self.pass.take() else {
            return Err(self.link.error("there was no forward pass before"));
        };
        let link = self.link.clone();
        link.guarded(|| {
            // The gradient of Σ gᵢ·yᵢ by the outputs y is g.
            let gradient = link.upload::<B>(outputs);
            let mut found = (pass.outputs * gradient).sum().backward();
            let gradients = pass.parameters.iter().map(|parameter| parameter.grad_remove(&mut found));
            self.gradients = Some(gradients.collect());
            Ok(())
        })
    }

    fn update(
        &mut self,
        network: &Network,
        optimizer: &mut Optimizer,
        clip_norm: Option<f64>,
        lr: f64,
    ) -> Result<(), ModelError> {
        let gradients = self.taken_gradients()?;
        let link = self.link.clone();
        link.guarded(|| {
            let factor = match clip_norm {
                Some(limit) => optim::clip_factor(&link, network, &gradients, limit)?,
                None => 1.0,
            };
            let moments = self.moments.get_or_insert_with(|| {
                // Those of frozen parameters are empty.
                let moments = |moments: &Vec<Buffer>| {
                    let there = moments.iter().filter(|moment| !moment.is_empty());
                    there.map(|moment| link.upload(moment)).collect()
                };
                optimizer.moments().iter().map(moments).collect()
            });
            optimizer.step += 1;
            let parts =
                network.parameters.iter().zip(&mut self.weights.parameters).zip(gradients).zip(moments);
            let parts = parts.enumerate().filter(|part| part.1.0.0.0.trainable);
            for (place, (((parameter, weights), gradient), moments)) in parts {
                let gradient =
                    gradient.unwrap_or_else(|| Tensor::zeros([parameter.value.len()], &link.device));
                let gradient = if factor < 1.0 { gradient * factor } else { gradient };
                let scalars = optimizer.scalars(place, parameter, lr);
                optim::update(scalars, weights, gradient, moments);
            }
            Ok(())
        })
    }

    fn download(&mut self, network: &mut Network, optimizer: &mut Optimizer) -> Result<(), ModelError> {
        if !self.changed {
            return Ok(());
        }
        let trainable = |&place: &usize| network.parameters[place].trainable;
        let trained: Vec<usize> = (0..network.parameters.len()).filter(trainable).collect();
        let parameters = trained.iter().map(|&place| &self.weights.parameters[place]);
        let moments = self.moments.iter().flat_map(|all| trained.iter().flat_map(|&place| &all[place]));
        let mut read = self.read(parameters.chain(moments).cloned().collect())?.into_iter();
        for (&place, values) in trained.iter().zip(&mut read) {
            network.parameters[place].value.copy_from_slice(&values);
        }
        if self.moments.is_some() {
            let all = optimizer.moments_mut();
            for &place in &trained {
                let pairs = all[place].iter_mut().zip(&mut read);
                pairs.for_each(|(moment, values)| moment.copy_from_slice(&values));
            }
        }
        self.download_statistics(network)?;
        self.changed = false;
        Ok(())
    }

    fn wait(&self) -> Result<(), ModelError> {
        self.link.guarded(|| B::sync(&self.link.device).map_err(|error| error.to_string()))
    }
}
