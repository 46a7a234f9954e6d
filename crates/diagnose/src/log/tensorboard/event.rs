//! The messages in the records, as far as scalars need them.

use prost::Message;

/// `tensorflow.Event`.
#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

/// `tensorflow.Summary`.
#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

/// `tensorflow.Summary.Value`: torch writes `simple_value`, Keras a tensor with the plugin `scalars`.
#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
    #[prost(message, optional, tag = "8")]
    tensor: Option<Tensor>,
}

/// `tensorflow.TensorProto`.
#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int32, tag = "1")]
    dtype: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<Shape>,
    #[prost(bytes = "vec", tag = "4")]
    content: Vec<u8>,
    #[prost(float, repeated, tag = "5")]
    float_val: Vec<f32>,
    #[prost(double, repeated, tag = "6")]
    double_val: Vec<f64>,
}

/// `tensorflow.TensorShapeProto`; a scalar has no dimensions.
#[derive(Clone, PartialEq, Message)]
struct Shape {
    #[prost(message, repeated, tag = "2")]
    dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
struct Dimension {}

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
