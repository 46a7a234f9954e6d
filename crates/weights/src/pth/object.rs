//! What a pickle of weights can build: plain values, containers, storages and tensors. None of it is code.

use crate::{Fault, element::Element};

/// An index into one of the heap's lists. Objects refer to each other only so: shared and even circular
/// ones cost nothing and are never walked recursively.
pub(super) type Id = usize;

/// A value on the pickle machine's stack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    /// None, a float, or another object of no interest.
    Other,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, as its little-endian bytes.
    Long(&'a [u8]),
    Text(&'a str),
    /// A tuple or a list.
    Sequence(Id),
    Dict(Id),
    Global(Global),
    Storage(Id),
    Tensor(Id),
}

/// The names a pickle may use; see [`Global::find`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Storage(Element),
    /// Builds something that is of no interest and never built.
    Ignored,
}

/// A storage: raw elements that tensors are views of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Storage<'a> {
    pub key: &'a str,
    pub element: Element,
    /// The number of elements, as the pickle claims.
    pub count: u64,
}

/// A tensor as the pickle describes it; nothing is checked yet.
#[derive(Debug)]
pub(super) struct Tensor<'a> {
    pub storage: Storage<'a>,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub stride: Vec<usize>,
}

/// Everything a pickle built.
#[derive(Debug, Default)]
pub(super) struct Heap<'a> {
    pub sequences: Vec<Vec<Value<'a>>>,
    pub dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    pub storages: Vec<Storage<'a>>,
    pub tensors: Vec<Tensor<'a>>,
}

impl Global {
    /// The object of that name, or a refusal: a pickle could name any function on the machine.
    pub fn find(module: &str, name: &str) -> Result<Self, Fault> {
        Ok(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "HalfStorage") => Self::Storage(Element::F16),
            ("torch", "BFloat16Storage") => Self::Storage(Element::Bf16),
            ("torch", "FloatStorage") => Self::Storage(Element::F32),
            ("torch", "DoubleStorage") => Self::Storage(Element::F64),
            ("torch", "BoolStorage") => Self::Storage(Element::Bool),
            ("torch", "ByteStorage") => Self::Storage(Element::U8),
            ("torch", "CharStorage") => Self::Storage(Element::I8),
            ("torch", "ShortStorage") => Self::Storage(Element::I16),
            ("torch", "IntStorage") => Self::Storage(Element::I32),
            ("torch", "LongStorage") => Self::Storage(Element::I64),
            ("torch", "Size" | "device") | ("collections", "Counter") => Self::Ignored,
            _ => return Err(Fault::Refused(format!("{module}.{name}"))),
        })
    }
}

impl<'a> Heap<'a> {
    pub fn sequence(&mut self, items: Vec<Value<'a>>) -> Value<'a> {
        self.sequences.push(items);
        Value::Sequence(self.sequences.len() - 1)
    }

    pub fn dict(&mut self, items: Vec<(Value<'a>, Value<'a>)>) -> Value<'a> {
        self.dicts.push(items);
        Value::Dict(self.dicts.len() - 1)
    }

    /// The value under `key`; the last one set counts.
    pub fn entry(&self, dict: Id, key: &str) -> Option<Value<'a>> {
        self.dicts[dict].iter().rev().find(|(known, _)| *known == Value::Text(key)).map(|(_, value)| *value)
    }

    /// The items of a tuple or list.
    pub fn items(&self, value: Value<'a>) -> Result<&[Value<'a>], Fault> {
        match value {
            Value::Sequence(id) => Ok(&self.sequences[id]),
            _ => Err(Fault::damaged("a tuple is missing")),
        }
    }

    /// What calling `function` would give, were it called.
    pub fn call(&mut self, function: Value<'a>, arguments: Value<'a>) -> Result<Value<'a>, Fault> {
        match (function, self.items(arguments)?) {
            (Value::Global(Global::OrderedDict), []) => Ok(self.dict(Vec::new())),
            // Python 2 passed the pairs at once.
            (Value::Global(Global::OrderedDict), &[pairs]) => {
                let pair = |&pair: &Value<'a>| match *self.items(pair)? {
                    [key, value] => Ok((key, value)),
                    _ => Err(Fault::damaged("a dict's pair has no two items")),
                };
                let pairs = self.items(pairs)?.iter().map(pair).collect::<Result<_, _>>()?;
                Ok(self.dict(pairs))
            }
            (Value::Global(Global::RebuildTensor), &[Value::Storage(storage), offset, shape, stride, ..]) => {
                let storage = self.storages[storage];
                let tensor = Tensor {
                    storage,
                    offset: size(&offset)?,
                    shape: self.sizes(shape)?,
                    stride: self.sizes(stride)?,
                };
                self.tensors.push(tensor);
                Ok(Value::Tensor(self.tensors.len() - 1))
            }
            (Value::Global(Global::RebuildParameter), &[tensor @ Value::Tensor(_), ..]) => Ok(tensor),
            (Value::Global(Global::Ignored), _) => Ok(Value::Other),
            _ => Err(Fault::damaged("a call does not fit what it calls")),
        }
    }

    /// The storage a persistent id names: ("storage", type, key, device, number of elements).
    pub fn storage(&mut self, id: Value<'a>) -> Result<Value<'a>, Fault> {
        let &[
            Value::Text("storage"),
            Value::Global(Global::Storage(element)),
            Value::Text(key),
            _,
            Value::Int(count),
            ..,
        ] = self.items(id)?
        else {
            return Err(Fault::damaged("a reference to a storage is not of PyTorch's form"));
        };
        let count = u64::try_from(count).map_err(|_| Fault::damaged("a storage's size is negative"))?;
        self.storages.push(Storage { key, element, count });
        Ok(Value::Storage(self.storages.len() - 1))
    }

    fn sizes(&self, tuple: Value<'a>) -> Result<Vec<usize>, Fault> {
        self.items(tuple)?.iter().map(size).collect()
    }
}

fn size(value: &Value<'_>) -> Result<usize, Fault> {
    match *value {
        Value::Int(size) => {
            usize::try_from(size).map_err(|_| Fault::damaged(format!("a tensor's size is {size}")))
        }
        _ => Err(Fault::damaged("a tensor's size is not a number")),
    }
}
