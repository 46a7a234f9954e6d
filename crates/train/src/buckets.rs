//! Gradients on their way to their sum over all processes.

use wellfit_cluster::{Link, Lost, NOTHING, Pending, Wire};
use wellfit_kernels::Buffer;
use wellfit_models::{Gradients, Network};

/// Numbers of a bucket: as many bytes as torch's DistributedDataParallel has in one.
const LARGE: usize = (25 << 20) / 4;
/// Those of the first, so that sending begins early.
const FIRST: usize = (1 << 20) / 4;

/// Gradients in buckets, in the order in which the backward pass gives them: a bucket is sent when it is full, while the gradients of the
/// next one are computed. Which gradients share a bucket follows from the network alone.
pub(crate) struct Buckets<'a> {
    link: &'a Link,
    /// How the numbers are sent.
    wire: Wire,
    /// The parameters in each.
    layout: Vec<Vec<usize>>,
    /// Of each parameter.
    lengths: Vec<usize>,
    given: Vec<Option<Buffer>>,
    sent: Vec<Pending<'a>>,
}

/// The parameters of each bucket.
fn layout(network: &Network) -> Vec<Vec<usize>> {
    let (mut layout, mut room) = (Vec::new(), 0);
    let places = network.nodes.iter().rev().flat_map(|node| &node.parameters);
    for &place in places.filter(|&&place| network.parameters[place].trainable) {
        let length = network.parameters[place].value.len();
        if room == 0 {
            room = if layout.is_empty() { FIRST } else { LARGE };
            layout.push(Vec::new());
        }
        room = room.saturating_sub(length);
        if let Some(bucket) = layout.last_mut() {
            bucket.push(place);
        }
    }
    layout
}

impl<'a> Buckets<'a> {
    /// For the gradients of a step.
    pub fn new(network: &Network, link: &'a Link, wire: Wire) -> Self {
        let given = network.parameters.iter().map(|_| None).collect();
        let lengths = network.parameters.iter().map(|parameter| parameter.value.len()).collect();
        Self { link, wire, layout: layout(network), lengths, given, sent: Vec::new() }
    }

    /// That this process has no gradient of a parameter.
    pub fn give_nothing(&mut self, place: usize) {
        self.give(place, Buffer::from_slice(&vec![NOTHING; self.lengths[place]]));
    }

    /// A parameter's gradient in this process.
    pub fn give(&mut self, place: usize, gradient: Buffer) {
        self.given[place] = Some(gradient);
        while let Some(bucket) = self.layout.get(self.sent.len())
            && bucket.iter().all(|&place| self.given[place].is_some())
        {
            let parts = bucket.iter().filter_map(|&place| self.given[place].take());
            let values = parts.fold(Vec::new(), |mut values, part| {
                values.extend_from_slice(&part);
                values
            });
            self.sent.push(self.link.sum_over(values, self.wire));
        }
    }

    /// The sums. A process that had no images of the batch gave nothing.
    pub fn sums(mut self, network: &Network) -> Result<Gradients, Lost> {
        for place in self.layout[self.sent.len()..].concat() {
            if self.given[place].is_none() {
                self.give_nothing(place);
            }
        }
        let mut gradients: Vec<_> = network.parameters.iter().map(|_| None).collect();
        for (bucket, sent) in self.layout.iter().zip(self.sent) {
            let sums = sent.wait()?;
            let mut rest = &sums[..];
            for &place in bucket {
                let (own, others) = rest.split_at(network.parameters[place].value.len());
                (gradients[place], rest) = (Some(Buffer::from_slice(own)), others);
            }
        }
        Ok(Gradients(gradients))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wellfit_models::{Shape, build};

    #[test]
    fn buckets_hold_all_gradients_from_the_last_layer_on() {
        let network = build("resnet18", Shape::image(32, 32, 3), 10).map_err(|error| error.to_string());
        let network = network.unwrap_or_else(|error| panic!("{error}"));
        let layout = layout(&network);
        let bytes = |bucket: &Vec<usize>| -> usize {
            bucket.iter().map(|&place| 4 * network.parameters[place].value.len()).sum()
        };
        let sizes: Vec<usize> = layout.iter().map(bytes).collect();
        assert_eq!(sizes.iter().sum::<usize>(), 4 * network.parameter_count());
        assert!(sizes[0] > FIRST && sizes.len() == 3, "{sizes:?}");
        let first = &network.parameters[layout[0][0]].name;
        assert!(first.starts_with("fc."), "{first}");
    }
}
