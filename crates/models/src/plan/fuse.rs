//! Which nodes run together.

use super::Step;
use crate::graph::{Network, Value};
use crate::ops::Op;

/// The nodes of a network in groups, each a step, in the order they run.
///
/// A normalisation runs together with the product or the depth-wise convolution before it, if no other node reads that
/// one's output, and with the residual sum and the ReLU after it, or with a smooth activation right after it. Where both addends of a sum are normalised, the sum runs with the later one.
pub(crate) fn groups(network: &Network) -> Vec<Step> {
    let readers = network.readers();
    let reader = SingleReader::new(network, &readers);
    let mut taken = vec![false; network.nodes.len()];
    let mut steps = Vec::new();
    for place in (0..network.nodes.len()).rev() {
        if matches!(network.nodes[place].op, Op::BatchNorm(_)) {
            steps.push(normalisation(network, place, &reader, &mut taken));
        }
    }
    for (place, _) in taken.iter().enumerate().filter(|(_, taken)| !**taken) {
        steps.push(Step {
            node: place,
            product: None,
            residual: None,
            relu: false,
            swish: None,
            folded: false,
            output: place + 1,
        });
    }
    steps.sort_by_key(Step::last);
    steps
}

/// The step of the normalisation at `place`.
fn normalisation(network: &Network, place: usize, reader: &SingleReader, taken: &mut [bool]) -> Step {
    taken[place] = true;
    let node = &network.nodes[place];
    let product = node.inputs[0].checked_sub(1).filter(|&before| {
        let node = &network.nodes[before];
        let alone = match &node.op {
            Op::Conv(_) | Op::Linear(_) => true,
            Op::GroupedConv(op) => op.depthwise(1, network.shape(node.inputs[0])).is_some(),
            _ => false,
        };
        alone && reader.of(before + 1) == Some(place)
    });
    product.into_iter().for_each(|before| taken[before] = true);
    let (mut output, mut residual, mut relu) = (place + 1, None, false);
    if let Some(sum) = reader.of(output).filter(|&sum| network.nodes[sum].op == Op::Add(crate::ops::Add))
        && !taken[sum]
    {
        taken[sum] = true;
        let inputs = &network.nodes[sum].inputs;
        residual = inputs.iter().copied().find(|&value| value != output);
        output = sum + 1;
    }
    if let Some(rectifier) = reader.of(output)
        && network.nodes[rectifier].op == Op::Relu(crate::ops::Relu)
    {
        taken[rectifier] = true;
        (output, relu) = (rectifier + 1, true);
    }
    let mut swish = None;
    if let Some(place) = reader.of(output)
        && let Op::Activation(activation) = network.nodes[place].op
        && residual.is_none()
        && !relu
        && let Some(kernel) = activation.behind_norm()
    {
        taken[place] = true;
        (output, swish) = (place + 1, Some(kernel));
    }
    Step { node: place, product, residual, relu, swish, folded: false, output }
}

/// For each value that is read once, by which node.
struct SingleReader(Vec<Option<usize>>);

impl SingleReader {
    fn new(network: &Network, readers: &[usize]) -> Self {
        let mut single = vec![None; readers.len()];
        for (place, node) in network.nodes.iter().enumerate() {
            for &value in node.inputs.iter().filter(|&&value| readers[value] == 1) {
                single[value] = Some(place);
            }
        }
        Self(single)
    }

    fn of(&self, value: Value) -> Option<usize> {
        self.0[value]
    }
}
