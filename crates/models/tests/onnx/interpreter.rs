//! ONNX operators by their definition (onnx.ai/onnx/operators), in f64 sums, knowing nothing of our kernels.

use crate::proto::{Model, Operator, Tensor};
use std::collections::BTreeMap;

/// The output named `logits` for `input`. Values that are not made yet when they are read panic: the order
/// is tested too.
pub fn run(model: &Model, input: Tensor) -> Tensor {
    let mut values: BTreeMap<String, Tensor> = model.weights.clone();
    values.insert("input".to_owned(), input);
    for operator in &model.operators {
        let inputs: Vec<&Tensor> = operator.inputs.iter().map(|name| &values[name]).collect();
        let output = evaluate(operator, &inputs);
        assert!(values.insert(operator.output.clone(), output).is_none(), "{} twice", operator.output);
    }
    values.remove("logits").unwrap()
}

fn evaluate(operator: &Operator, inputs: &[&Tensor]) -> Tensor {
    if operator.kind == "Constant" {
        let float = operator.floats.get("value_float").map(|&value| vec![value]);
        let ints = || operator.ints["value_ints"].iter().map(|&value| value as f32).collect();
        return Tensor { shape: vec![], values: float.unwrap_or_else(ints) };
    }
    let x = inputs[0];
    match (operator.kind.as_str(), &inputs[1..]) {
        ("Conv", [weight]) => conv(operator, x, weight),
        ("Conv", [weight, bias]) => {
            let y = conv(operator, x, weight);
            each(&y, |channel, value| value + f64::from(bias.values[channel]))
        }
        ("MaxPool", []) => max_pool(operator, x),
        ("BatchNormalization", [gamma, beta, mean, variance]) => {
            let epsilon = f64::from(operator.floats["epsilon"]);
            each(x, |channel, value| {
                let of = |vector: &Tensor| f64::from(vector.values[channel]);
                (value - of(mean)) / (of(variance) + epsilon).sqrt() * of(gamma) + of(beta)
            })
        }
        ("Relu", []) => each(x, |_, value| value.max(0.0)),
        ("Clip", [min, max]) => {
            each(x, |_, value| value.clamp(f64::from(min.values[0]), f64::from(max.values[0])))
        }
        ("Pad", [pads]) => pad(x, &pads.values),
        ("HardSwish", []) => each(x, |_, value| value * (value / 6.0 + 0.5).clamp(0.0, 1.0)),
        ("Sigmoid", []) => each(x, |_, value| 1.0 / (1.0 + (-value).exp())),
        ("HardSigmoid", []) => {
            let alpha = f64::from(operator.floats["alpha"]);
            each(x, |_, value| (alpha * value + 0.5).clamp(0.0, 1.0))
        }
        // The second is broadcast over the axes where it has one place.
        ("Mul", [other]) if x.shape[2..] != other.shape[2..] => {
            assert_eq!((&x.shape[..2], &other.shape[2..]), (&other.shape[..2], &[1, 1][..]));
            let pixels = x.shape[2] * x.shape[3];
            let values = x.values.iter().enumerate().map(|(i, x)| x * other.values[i / pixels]).collect();
            Tensor { shape: x.shape.clone(), values }
        }
        ("Mul", [other]) => {
            assert_eq!(x.shape, other.shape);
            let values = x.values.iter().zip(&other.values).map(|(a, b)| a * b).collect();
            Tensor { shape: x.shape.clone(), values }
        }
        ("Add", [other]) => {
            assert_eq!(x.shape, other.shape);
            let values = x.values.iter().zip(&other.values).map(|(a, b)| a + b).collect();
            Tensor { shape: x.shape.clone(), values }
        }
        ("GlobalAveragePool", []) => {
            let pixels = x.shape[2] * x.shape[3];
            let mean = |plane: &[f32]| plane.iter().map(|&v| f64::from(v)).sum::<f64>() / pixels as f64;
            let values = x.values.chunks(pixels).map(|plane| mean(plane) as f32).collect();
            Tensor { shape: vec![x.shape[0], x.shape[1], 1, 1], values }
        }
        ("Flatten", []) => {
            assert_eq!(operator.ints["axis"], [1]);
            Tensor { shape: vec![x.shape[0], x.shape[1..].iter().product()], values: x.values.clone() }
        }
        ("Gemm", [weight, bias]) => {
            assert_eq!(operator.ints["transB"], [1]);
            let (&[n, inputs], &[outputs, same]) = (&x.shape[..], &weight.shape[..]) else { panic!() };
            assert_eq!(inputs, same);
            let cell = |row: usize, column: usize| {
                let (x, w) = (&x.values[row * inputs..], &weight.values[column * inputs..]);
                let sum: f64 = x[..inputs].iter().zip(w).map(|(&x, &w)| f64::from(x) * f64::from(w)).sum();
                (sum + f64::from(bias.values[column])) as f32
            };
            let values = (0..n * outputs).map(|place| cell(place / outputs, place % outputs)).collect();
            Tensor { shape: vec![n, outputs], values }
        }
        (kind, more) => panic!("{kind} with {} more inputs", more.len()),
    }
}

/// Every value from its channel (the second axis) and itself.
fn each(x: &Tensor, f: impl Fn(usize, f64) -> f64) -> Tensor {
    let inner: usize = x.shape[2..].iter().product();
    let channel = |place: usize| place / inner % x.shape[1];
    let values = x.values.iter().enumerate().map(|(place, &v)| f(channel(place), f64::from(v)) as f32);
    Tensor { shape: x.shape.clone(), values: values.collect() }
}

/// Zeros around each plane; `pads` are those before each axis, then those behind it.
fn pad(x: &Tensor, pads: &[f32]) -> Tensor {
    let &[0.0, 0.0, top, left, 0.0, 0.0, bottom, right] = pads else { panic!() };
    let [top, left, bottom, right] = [top, left, bottom, right].map(|pixels| pixels as usize);
    let (height, width) = (x.shape[2], x.shape[3]);
    let shape = vec![x.shape[0], x.shape[1], top + height + bottom, left + width + right];
    let mut values = vec![0.0; shape.iter().product()];
    for (place, &value) in x.values.iter().enumerate() {
        let (plane, row, column) = (place / (height * width), place / width % height, place % width);
        values[(plane * shape[2] + top + row) * shape[3] + left + column] = value;
    }
    Tensor { shape, values }
}

/// Windows over `x`: calls `cell(image, out channel, taps)` for each output, a tap being an offset into the
/// kernel and the pixel's place in the plane, with those in the padding left out.
fn windows(
    operator: &Operator,
    x: &Tensor,
    channels: usize,
    cell: impl Fn(usize, usize, &[(usize, usize)]) -> f32,
) -> Tensor {
    let ints = |name: &str| operator.ints[name].clone();
    let (&[kh, kw], &[sh, sw]) = (&ints("kernel_shape")[..], &ints("strides")[..]) else { panic!() };
    let &[top, left, bottom, right] = &ints("pads")[..] else { panic!() };
    let (height, width) = (x.shape[2] as i64, x.shape[3] as i64);
    let (rows, columns) = ((height + top + bottom - kh) / sh + 1, (width + left + right - kw) / sw + 1);
    let mut values = Vec::new();
    for (image, channel) in (0..x.shape[0]).flat_map(|n| (0..channels).map(move |c| (n, c))) {
        for (row, column) in (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))) {
            let taps = (0..kh * kw).filter_map(|tap| {
                let (y, x) = (row * sh - top + tap / kw, column * sw - left + tap % kw);
                let inside = (0..height).contains(&y) && (0..width).contains(&x);
                inside.then_some((tap as usize, (y * width + x) as usize))
            });
            values.push(cell(image, channel, &taps.collect::<Vec<_>>()));
        }
    }
    Tensor { shape: vec![x.shape[0], channels, rows as usize, columns as usize], values }
}

fn conv(operator: &Operator, x: &Tensor, weight: &Tensor) -> Tensor {
    let (&[outputs, inputs, kh, kw], pixels) = (&weight.shape[..], x.shape[2] * x.shape[3]) else { panic!() };
    let groups = operator.ints.get("group").map_or(1, |group| group[0] as usize);
    assert_eq!(
        (x.shape[1], &operator.ints["kernel_shape"][..]),
        (groups * inputs, &[kh as i64, kw as i64][..])
    );
    windows(operator, x, outputs, |image, output, taps| {
        let first = image * groups * inputs + output / (outputs / groups) * inputs;
        let mut sum = 0.0;
        for input in 0..inputs {
            let plane = &x.values[(first + input) * pixels..];
            let kernel = &weight.values[(output * inputs + input) * kh * kw..];
            sum += taps.iter().map(|&(k, p)| f64::from(kernel[k]) * f64::from(plane[p])).sum::<f64>();
        }
        sum as f32
    })
}

fn max_pool(operator: &Operator, x: &Tensor) -> Tensor {
    let (channels, pixels) = (x.shape[1], x.shape[2] * x.shape[3]);
    windows(operator, x, channels, |image, channel, taps| {
        let plane = &x.values[(image * channels + channel) * pixels..];
        taps.iter().map(|&(_, place)| plane[place]).fold(f32::NEG_INFINITY, f32::max)
    })
}
