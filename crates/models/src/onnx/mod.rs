//! Networks as ONNX files (opset 17), for onnxruntime and everything else that reads ONNX.
//!
//! The file's input is `input`, float `[N, C, H, W]` with any N; its output is `logits`, float
//! `[N, classes]`. It computes what [`Network::evaluate`] does: dropout is left out. BatchNorm stays a
//! `BatchNormalization` node of its own, so the file holds the very weights of the network under torch's
//! names; runtimes fold it into the convolution when they load the file.
//!
//! Field numbers are those of `onnx.proto3`, <https://github.com/onnx/onnx/blob/v1.12.0/onnx/onnx.proto3>.

mod operator;
mod proto;

use crate::graph::{Network, Node};
pub use operator::Attribute;
use operator::Operator;
use proto::Message;
use std::collections::BTreeMap;

/// Opset 17 came with version 8 of the file format (ONNX 1.12).
const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;
/// `TensorProto.FLOAT`.
const FLOAT: i64 = 1;

const INPUT: &str = "input";
const OUTPUT: &str = "logits";

impl Network {
    /// The network as an ONNX file with that metadata (`metadata_props`).
    #[must_use]
    pub fn to_onnx(&self, metadata: &BTreeMap<String, String>) -> Vec<u8> {
        let opset = Message::default().text(1, "").int(2, OPSET);
        Message::default()
            .int(1, IR_VERSION)
            .text(2, "wellfit")
            .text(3, env!("CARGO_PKG_VERSION"))
            .message(7, self.graph())
            .message(8, opset)
            .each(metadata, |model, (key, value)| {
                model.message(14, Message::default().text(1, key).text(2, value))
            })
            .into_bytes()
    }

    /// A `GraphProto`.
    fn graph(&self) -> Message {
        let [channels, height, width] = [self.input.channels, self.input.height, self.input.width];
        let graph = Message::default()
            .each(self.operators(), |graph, operator| graph.message(1, operator.encode()))
            .text(2, &self.name)
            .message(11, value(INPUT, &[channels, height, width]))
            .message(12, value(OUTPUT, &[self.outputs()]));
        let graph = graph.each(&self.parameters, |graph, parameter| {
            let values = parameter.to_torch(&parameter.value);
            graph.message(5, tensor(&parameter.name, &parameter.shape, &values))
        });
        graph.each(&self.norms, |graph, norm| {
            let [mean, variance] = statistics(&norm.name);
            graph
                .message(5, tensor(&mean, &[norm.mean.len()], &norm.mean))
                .message(5, tensor(&variance, &[norm.variance.len()], &norm.variance))
        })
    }

    /// The network's nodes as operators, in the same order.
    fn operators(&self) -> Vec<Operator> {
        let mut tensors = vec![Tensor { name: INPUT.to_owned(), flat: false }];
        let mut operators = Vec::new();
        for node in &self.nodes {
            let mut graph = Graph { network: self, node, tensors: &tensors, operators: &mut operators };
            let tensor = node.op.onnx(&mut graph);
            tensors.push(tensor);
        }
        if let Some(last) = tensors.pop() {
            name_output(last, &mut operators);
        }
        operators
    }
}

/// What the network ends with is flat and called [`OUTPUT`].
fn name_output(last: Tensor, operators: &mut Vec<Operator>) {
    let last = if last.flat { last } else { flatten(OUTPUT, &last, operators) }.name;
    for operator in operators {
        let names = operator.inputs.iter_mut().chain([&mut operator.name]);
        names.filter(|name| **name == last).for_each(|name| OUTPUT.clone_into(name));
    }
}

/// `[N, C, H, W]` as `[N, C·H·W]`, the order of torch's weights.
fn flatten(before: &str, tensor: &Tensor, operators: &mut Vec<Operator>) -> Tensor {
    let name = format!("{before}.flatten");
    operators.push(Operator {
        kind: "Flatten",
        name: name.clone(),
        inputs: vec![tensor.name.clone()],
        attributes: vec![("axis", Attribute::Int(1))],
    });
    Tensor { name, flat: true }
}

/// A value or an initialiser in an ONNX graph.
#[derive(Debug, Clone)]
pub struct Tensor {
    name: String,
    /// Whether it is `[N, features]` already, not `[N, C, H, W]`.
    flat: bool,
}

/// The graph as one node sees it that adds its operators.
pub struct Graph<'a> {
    network: &'a Network,
    node: &'a Node,
    /// For each value of the network so far, its tensor.
    tensors: &'a [Tensor],
    operators: &'a mut Vec<Operator>,
}

impl Graph<'_> {
    /// The node's input number `i`.
    #[must_use]
    pub fn input(&self, i: usize) -> Tensor {
        self.tensors[self.node.inputs[i]].clone()
    }

    /// The same as `[N, features]`.
    pub fn flat_input(&mut self, i: usize) -> Tensor {
        let input = self.input(i);
        if input.flat { input } else { flatten(&self.node.name, &input, self.operators) }
    }

    /// The node's parameter number `i`, in torch's layout.
    #[must_use]
    pub fn parameter(&self, i: usize) -> Tensor {
        Tensor { name: self.network.parameters[self.node.parameters[i]].name.clone(), flat: true }
    }

    /// The node's running mean and variance.
    #[must_use]
    pub fn running_statistics(&self) -> [Tensor; 2] {
        let layer = self.network.norm(self.node).map_or("", |norm| &norm.name);
        statistics(layer).map(|name| Tensor { name, flat: true })
    }

    /// Add an operator that makes a part of what the node computes, under the node's name and its own; it gives a
    /// tensor shaped like its first input.
    pub fn add_part(
        &mut self,
        part: &str,
        kind: &'static str,
        inputs: &[Tensor],
        attributes: Vec<(&'static str, Attribute)>,
    ) -> Tensor {
        self.add_named(format!("{}.{part}", self.node.name), kind, inputs, attributes)
    }

    /// Add an operator of that ONNX kind under the node's name; it gives a tensor shaped like its first input.
    pub fn add(
        &mut self,
        kind: &'static str,
        inputs: &[Tensor],
        attributes: Vec<(&'static str, Attribute)>,
    ) -> Tensor {
        self.add_named(self.node.name.clone(), kind, inputs, attributes)
    }

    fn add_named(
        &mut self,
        name: String,
        kind: &'static str,
        inputs: &[Tensor],
        attributes: Vec<(&'static str, Attribute)>,
    ) -> Tensor {
        let names = inputs.iter().map(|tensor| tensor.name.clone()).collect();
        self.operators.push(Operator { kind, name: name.clone(), inputs: names, attributes });
        Tensor { name, flat: inputs.first().is_some_and(|tensor| tensor.flat) }
    }
}

/// The names of a layer's running mean and variance.
fn statistics(layer: &str) -> [String; 2] {
    ["running_mean", "running_var"].map(|part| format!("{layer}.{part}"))
}

/// A `TensorProto` of floats.
fn tensor(name: &str, shape: &[usize], values: &[f32]) -> Message {
    Message::default()
        .each(shape, |tensor, &extent| tensor.int(1, extent as i64))
        .int(2, FLOAT)
        .text(8, name)
        .raw_floats(9, values)
}

/// A `ValueInfoProto`: floats `[N, shape…]`, where N may be any number.
fn value(name: &str, shape: &[usize]) -> Message {
    let batch = Message::default().text(2, "N");
    let shape = Message::default()
        .message(1, batch)
        .each(shape, |message, &extent| message.message(1, Message::default().int(1, extent as i64)));
    let tensor = Message::default().int(1, FLOAT).message(2, shape);
    Message::default().text(1, name).message(2, Message::default().message(1, tensor))
}
