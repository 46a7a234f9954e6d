//! The operators of an ONNX graph, one for each step of a network or of a fused node.

use super::proto::Message;

/// A node of the graph.
#[derive(Debug)]
pub(super) struct Operator {
    /// ONNX's name of what it computes, such as `Conv`.
    pub kind: &'static str,
    /// The name of the node and of the value it gives.
    pub name: String,
    /// The values and initialisers it reads.
    pub inputs: Vec<String>,
    /// Its settings; what is left out has ONNX's default.
    pub attributes: Vec<(&'static str, Attribute)>,
}

/// A setting of an operator.
#[derive(Debug)]
pub enum Attribute {
    /// A whole number.
    Int(i64),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// A float.
    Float(f32),
}

impl Operator {
    /// A `NodeProto`.
    pub fn encode(&self) -> Message {
        Message::default()
            .each(&self.inputs, |node, input| node.text(1, input))
            .text(2, &self.name)
            .text(3, &self.name)
            .text(4, self.kind)
            .each(&self.attributes, |node, (name, value)| node.message(5, value.encode(name)))
    }
}

impl Attribute {
    /// `k×k` windows that move by `stride` over a zero border of `padding`.
    #[must_use]
    pub fn window(kernel: usize, stride: usize, padding: usize) -> Vec<(&'static str, Self)> {
        let all = |count, value: usize| Self::Ints(vec![value as i64; count]);
        // Pads are top, left, bottom, right.
        vec![("kernel_shape", all(2, kernel)), ("strides", all(2, stride)), ("pads", all(4, padding))]
    }

    /// An `AttributeProto`; field 20 is its type.
    fn encode(&self, name: &str) -> Message {
        let message = Message::default().text(1, name);
        match self {
            Self::Float(value) => message.float(2, *value).int(20, 1),
            Self::Int(value) => message.int(3, *value).int(20, 2),
            Self::Ints(values) => message.each(values, |message, &value| message.int(8, value)).int(20, 7),
        }
    }
}
