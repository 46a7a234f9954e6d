//! The messages in the records, as far as scalars need them.

use prost::Message;

/// `tensorflow.Event`.
#[derive(Clone, PartialEq, Message)]
pub struct Event {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    pub wall_time: f64,
    /// The step or epoch.
    #[prost(int64, tag = "2")]
    pub step: i64,
    /// `brain.Event:2` in the first event of a file.
    #[prost(string, optional, tag = "3")]
    pub file_version: Option<String>,
    /// What was measured.
    #[prost(message, optional, tag = "5")]
    pub summary: Option<Summary>,
}

/// `tensorflow.Summary`.
#[derive(Clone, PartialEq, Message)]
pub struct Summary {
    /// Its values.
    #[prost(message, repeated, tag = "1")]
    pub value: Vec<Value>,
}

/// `tensorflow.Summary.Value`: torch writes `simple_value`, Keras a tensor with the plugin `scalars`.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// What it is the value of, such as `loss/validation`.
    #[prost(string, tag = "1")]
    pub tag: String,
    /// The value, where it is a number.
    #[prost(float, optional, tag = "2")]
    pub simple_value: Option<f32>,
    /// The value, where it is a tensor.
    #[prost(message, optional, tag = "8")]
    pub tensor: Option<Tensor>,
}

/// `tensorflow.TensorProto`.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// The type of its elements: 1 for single, 2 for double precision.
    #[prost(int32, tag = "1")]
    pub dtype: i32,
    /// Its dimensions.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
    /// Its elements as bytes, or else they are in one of the lists.
    #[prost(bytes = "vec", tag = "4")]
    pub content: Vec<u8>,
    /// Elements in single precision.
    #[prost(float, repeated, tag = "5")]
    pub float_val: Vec<f32>,
    /// Elements in double precision.
    #[prost(double, repeated, tag = "6")]
    pub double_val: Vec<f64>,
}

/// `tensorflow.TensorShapeProto`; a scalar has no dimensions.
#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    /// Its dimensions.
    #[prost(message, repeated, tag = "2")]
    pub dim: Vec<Dimension>,
}

/// A dimension, whose length does not matter here.
#[derive(Clone, PartialEq, Message)]
pub struct Dimension {}

const FLOAT: i32 = 1;
const DOUBLE: i32 = 2;

/// The scalars of an event: (tag, step, value). Pictures, histograms and texts are left out.
///
/// # Errors
/// If it is no event.
pub fn scalars(record: &[u8]) -> Result<Vec<(String, i64, f64)>, String> {
    let event = Event::decode(record).map_err(|problem| format!("a record is no event: {problem}"))?;
    let values = event.summary.map(|summary| summary.value).unwrap_or_default();
    let scalar = |value: Value| {
        let number =
            value.simple_value.map(shortest).or_else(|| value.tensor.as_ref().and_then(of_tensor))?;
        Some((value.tag, event.step, number))
    };
    Ok(values.into_iter().filter_map(scalar).collect())
}

fn of_tensor(tensor: &Tensor) -> Option<f64> {
    if tensor.shape.as_ref().is_some_and(|shape| !shape.dim.is_empty()) {
        return None;
    }
    match tensor.dtype {
        FLOAT => {
            let bytes = tensor.content.first_chunk().map(|bytes| f32::from_le_bytes(*bytes));
            tensor.float_val.first().copied().or(bytes).map(shortest)
        }
        DOUBLE => {
            let bytes = tensor.content.first_chunk().map(|bytes| f64::from_le_bytes(*bytes));
            tensor.double_val.first().copied().or(bytes)
        }
        _ => None,
    }
}

/// The shortest decimal that is this number in single precision, as other logs write it: 0.1 and not 0.10000000149.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}
