//! Protocol Buffers, the reading half, and the messages of ONNX that the tests look at.

use std::collections::BTreeMap;

/// The fields of a message: number and value, in order.
pub struct Fields<'a>(Vec<(u64, Field<'a>)>);

enum Field<'a> {
    Int(u64),
    Float(f32),
    Bytes(&'a [u8]),
}

impl<'a> Fields<'a> {
    pub fn read(mut bytes: &'a [u8]) -> Self {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes);
            let field = match key & 7 {
                0 => Field::Int(varint(&mut bytes)),
                2 => {
                    let length = varint(&mut bytes) as usize;
                    Field::Bytes(bytes.split_off(..length).unwrap())
                }
                5 => Field::Float(f32::from_le_bytes(bytes.split_off(..4).unwrap().try_into().unwrap())),
                wire => panic!("wire type {wire}"),
            };
            fields.push((key >> 3, field));
        }
        Self(fields)
    }

    fn all(&self, number: u64) -> impl Iterator<Item = &Field<'a>> {
        self.0.iter().filter(move |(n, _)| *n == number).map(|(_, field)| field)
    }

    pub fn ints(&self, number: u64) -> Vec<i64> {
        let int = |field: &Field<'_>| match field {
            Field::Int(value) => value.cast_signed(),
            _ => panic!("field {number} is no integer"),
        };
        self.all(number).map(int).collect()
    }

    pub fn float(&self, number: u64) -> Option<f32> {
        self.all(number).map(|field| if let Field::Float(x) = field { *x } else { panic!() }).next()
    }

    pub fn bytes(&self, number: u64) -> Vec<&'a [u8]> {
        self.all(number).map(|field| if let Field::Bytes(x) = field { *x } else { panic!() }).collect()
    }

    pub fn texts(&self, number: u64) -> Vec<String> {
        self.bytes(number).iter().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).collect()
    }

    pub fn text(&self, number: u64) -> String {
        self.texts(number).pop().unwrap_or_default()
    }

    pub fn messages(&self, number: u64) -> Vec<Fields<'a>> {
        self.bytes(number).into_iter().map(Fields::read).collect()
    }

    pub fn message(&self, number: u64) -> Fields<'a> {
        self.messages(number).pop().unwrap()
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for place in 0.. {
        let byte = *bytes.split_off_first().unwrap();
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            break;
        }
    }
    value
}

/// An array of the graph.
#[derive(Debug, Clone)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

pub struct Operator {
    pub kind: String,
    pub inputs: Vec<String>,
    pub output: String,
    pub ints: BTreeMap<String, Vec<i64>>,
    pub floats: BTreeMap<String, f32>,
}

/// An ONNX file.
pub struct Model {
    pub ir_version: i64,
    pub opset: i64,
    pub metadata: BTreeMap<String, String>,
    pub operators: Vec<Operator>,
    pub weights: BTreeMap<String, Tensor>,
    /// Name, element type and dimensions (numbers or names) of the input and of the output.
    pub ends: [(String, i64, Vec<String>); 2],
}

pub fn read(bytes: &[u8]) -> Model {
    let model = Fields::read(bytes);
    let graph = model.message(7);
    let pairs = model.messages(14).into_iter().map(|pair| (pair.text(1), pair.text(2)));
    Model {
        ir_version: model.ints(1)[0],
        opset: model.message(8).ints(2)[0],
        metadata: pairs.collect(),
        operators: graph.messages(1).iter().map(operator).collect(),
        weights: graph.messages(5).iter().map(|tensor| (tensor.text(8), weight(tensor))).collect(),
        ends: [end(&graph.message(11)), end(&graph.message(12))],
    }
}

fn operator(node: &Fields<'_>) -> Operator {
    let [output] = node.texts(2).try_into().unwrap();
    let (mut ints, mut floats) = (BTreeMap::new(), BTreeMap::new());
    for attribute in node.messages(5) {
        let name = attribute.text(1);
        match attribute.ints(20)[0] {
            1 => _ = floats.insert(name, attribute.float(2).unwrap()),
            2 => _ = ints.insert(name, attribute.ints(3)),
            7 => _ = ints.insert(name, attribute.ints(8)),
            kind => panic!("{name} is of type {kind}"),
        }
    }
    Operator { kind: node.text(4), inputs: node.texts(1), output, ints, floats }
}

fn weight(tensor: &Fields<'_>) -> Tensor {
    assert_eq!(tensor.ints(2), [1], "floats");
    let shape: Vec<usize> = tensor.ints(1).iter().map(|&extent| extent as usize).collect();
    let (values, rest) = tensor.bytes(9)[0].as_chunks();
    assert!(rest.is_empty() && values.len() == shape.iter().product::<usize>());
    Tensor { shape, values: values.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect() }
}

fn end(value: &Fields<'_>) -> (String, i64, Vec<String>) {
    let tensor = value.message(2).message(1);
    let dimension = |dimension: &Fields<'_>| {
        dimension.ints(1).first().map_or_else(|| dimension.text(2), ToString::to_string)
    };
    let shape = tensor.message(2).messages(1).iter().map(dimension).collect();
    (value.text(1), tensor.ints(1)[0], shape)
}
