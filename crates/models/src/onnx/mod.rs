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

use crate::network::{NORM_EPS, Network, Node, Op};
use operator::{Attribute, Operator};
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
        let mut graph = Graph { network: self, operators: Vec::new(), values: Vec::new() };
        graph.values.push(Value { name: INPUT.to_owned(), flat: false });
        for node in &self.nodes {
            let value = graph.add_node(node);
            graph.values.push(value);
        }
        graph.finish()
    }
}

/// A value of the network in the graph.
#[derive(Debug, Clone)]
struct Value {
    name: String,
    /// Whether it is `[N, features]` already, not `[N, C, H, W]`.
    flat: bool,
}

/// The graph as far as it is built.
struct Graph<'a> {
    network: &'a Network,
    operators: Vec<Operator>,
    /// For each value of the network, its place in the graph.
    values: Vec<Value>,
}

impl Graph<'_> {
    fn add_node(&mut self, node: &Node) -> Value {
        let input = self.values[node.input].clone();
        match node.op {
            Op::Conv { weight, kernel, stride, padding } => {
                let window = Attribute::window(kernel, stride, padding);
                self.add("Conv", &node.name, &input, &[self.parameter(weight)], window)
            }
            Op::Linear { weight, bias } => {
                let input = self.flat(&node.name, input);
                let weights = [self.parameter(weight), self.parameter(bias)];
                self.add("Gemm", &node.name, &input, &weights, vec![("transB", Attribute::Int(1))])
            }
            Op::BatchNorm { gamma, beta, norm, residual, relu } => {
                let [mean, variance] = statistics(&self.network.norms[norm].name);
                let weights = [self.parameter(gamma), self.parameter(beta), mean, variance];
                let epsilon = vec![("epsilon", Attribute::Float(NORM_EPS))];
                let mut value = self.add("BatchNormalization", &node.name, &input, &weights, epsilon);
                if let Some(residual) = residual {
                    let residual = self.values[residual].name.clone();
                    value = self.add("Add", &format!("{}.add", node.name), &value, &[residual], vec![]);
                }
                if relu {
                    value = self.add("Relu", &format!("{}.relu", node.name), &value, &[], vec![]);
                }
                value
            }
            Op::Relu => self.add("Relu", &node.name, &input, &[], vec![]),
            Op::Dropout { .. } => input,
            Op::MaxPool { kernel, stride, padding } => {
                let window = Attribute::window(kernel, stride, padding);
                self.add("MaxPool", &node.name, &input, &[], window)
            }
            Op::GlobalAveragePool => self.add("GlobalAveragePool", &node.name, &input, &[], vec![]),
        }
    }

    /// An operator that reads `input` and then `more`.
    fn add(
        &mut self,
        kind: &'static str,
        name: &str,
        input: &Value,
        more: &[String],
        attributes: Vec<(&'static str, Attribute)>,
    ) -> Value {
        let inputs = [&input.name].into_iter().chain(more).cloned().collect();
        self.operators.push(Operator { kind, name: name.to_owned(), inputs, attributes });
        Value { name: name.to_owned(), flat: input.flat || kind == "Flatten" }
    }

    /// `[N, C, H, W]` as `[N, C·H·W]`, the order of torch's weights.
    fn flat(&mut self, before: &str, value: Value) -> Value {
        if value.flat {
            return value;
        }
        self.add("Flatten", &format!("{before}.flatten"), &value, &[], vec![("axis", Attribute::Int(1))])
    }

    fn parameter(&self, place: usize) -> String {
        self.network.parameters[place].name.clone()
    }

    /// All operators; what the network ends with is called [`OUTPUT`].
    fn finish(mut self) -> Vec<Operator> {
        let Some(last) = self.values.pop() else { return self.operators };
        let last = self.flat(OUTPUT, last).name;
        for operator in &mut self.operators {
            let names = operator.inputs.iter_mut().chain([&mut operator.name]);
            names.filter(|name| **name == last).for_each(|name| OUTPUT.clone_into(name));
        }
        self.operators
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
