//! What a pickle of weights can build: plain values, containers, storages, tensors, and objects of any other class as a
//! name only. None of it is code.

use super::class;
use crate::{Fault, element::Element};

/// An index into one of the heap's lists. Objects refer to each other only so: shared and even circular
/// ones cost nothing and are never walked recursively.
pub(super) type Id = usize;

/// A value on the pickle machine's stack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    /// None, a float, bytes, or another value of no interest.
    Other,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, as its little-endian bytes.
    Long(&'a [u8]),
    Text(&'a str),
    /// A tuple, a list or a set.
    Sequence(Id),
    Dict(Id),
    Global(Global),
    Storage(Id),
    Tensor(Id),
    /// An object of a class that weights do not need. It is never built, so nothing of it runs.
    Object(Id),
}

/// What a name in a pickle means; see [`Heap::global`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    /// A tensor of a subclass: (function, class, arguments, attributes).
    RebuildSubclass,
    Storage(Element),
    /// Any other class or function: a place in [`Heap::names`].
    Other(Id),
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

/// An object that is not built.
#[derive(Debug)]
pub(super) struct Object<'a> {
    /// The place of its class in [`Heap::names`].
    pub class: Id,
    /// What was set in it by key: many classes are dicts.
    pub items: Vec<(Value<'a>, Value<'a>)>,
}

/// Everything a pickle built.
#[derive(Debug, Default)]
pub(super) struct Heap<'a> {
    pub sequences: Vec<Vec<Value<'a>>>,
    pub dicts: Vec<Vec<(Value<'a>, Value<'a>)>>,
    pub storages: Vec<Storage<'a>>,
    pub tensors: Vec<Tensor<'a>>,
    pub objects: Vec<Object<'a>>,
    /// Module and name of the classes and functions that are not known here.
    pub names: Vec<(&'a str, &'a str)>,
}

impl<'a> Heap<'a> {
    /// What a module's name means. Only a few are known; the rest are names and stay so.
    ///
    /// # Errors
    /// [`Fault::Refused`] for what only an attack would call.
    pub fn global(&mut self, module: &'a str, name: &'a str) -> Result<Global, Fault> {
        if let Some(known) = class::known(module, name) {
            return Ok(known);
        }
        if class::is_attack(module, name) {
            return Err(Fault::Refused(format!("{module}.{name}")));
        }
        self.names.push((module, name));
        Ok(Global::Other(self.names.len() - 1))
    }

    pub fn sequence(&mut self, items: Vec<Value<'a>>) -> Value<'a> {
        self.sequences.push(items);
        Value::Sequence(self.sequences.len() - 1)
    }

    pub fn dict(&mut self, items: Vec<(Value<'a>, Value<'a>)>) -> Value<'a> {
        self.dicts.push(items);
        Value::Dict(self.dicts.len() - 1)
    }

    /// An object of what `class` names; of no interest if it names nothing.
    pub fn object(&mut self, class: Value<'a>) -> Value<'a> {
        let class = match class {
            Value::Global(Global::Other(class)) => class,
            Value::Object(id) => self.objects[id].class,
            _ => return Value::Other,
        };
        self.objects.push(Object { class, items: Vec::new() });
        Value::Object(self.objects.len() - 1)
    }

    /// The class of an object, as Python writes it.
    pub fn class(&self, object: Id) -> String {
        let (module, name) = self.names[self.objects[object].class];
        format!("{module}.{name}")
    }

    /// The items of a dict, or of an object that may be one.
    pub fn pairs(&self, value: Value<'a>) -> Option<&[(Value<'a>, Value<'a>)]> {
        match value {
            Value::Dict(id) => Some(&self.dicts[id]),
            Value::Object(id) => Some(&self.objects[id].items),
            _ => None,
        }
    }

    /// The value under `key`; the last one set counts.
    pub fn entry(&self, dict: Value<'a>, key: &str) -> Option<Value<'a>> {
        let pairs = self.pairs(dict)?;
        pairs.iter().rev().find(|(known, _)| *known == Value::Text(key)).map(|(_, value)| *value)
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
            // `torch._tensor._rebuild_from_type_v2` calls what it is given; only these two are of interest.
            (
                Value::Global(Global::RebuildSubclass),
                &[
                    rebuild @ Value::Global(Global::RebuildTensor | Global::RebuildParameter),
                    _,
                    arguments,
                    ..,
                ],
            ) => self.rebuild(rebuild, arguments),
            (Value::Global(Global::RebuildSubclass), _) => Ok(Value::Other),
            _ => self.rebuild(function, arguments),
        }
    }

    fn rebuild(&mut self, function: Value<'a>, arguments: Value<'a>) -> Result<Value<'a>, Fault> {
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
            // A storage of a type that is not read stands for its tensors.
            (Value::Global(Global::RebuildTensor), &[storage @ Value::Object(_), ..]) => Ok(storage),
            (
                Value::Global(Global::RebuildParameter),
                &[tensor @ (Value::Tensor(_) | Value::Object(_)), ..],
            ) => Ok(tensor),
            // `copyreg._reconstructor(class, …)`, by which protocols 0 and 1 make objects.
            (Value::Global(Global::Other(made)), &[class @ Value::Global(Global::Other(_)), ..])
                if self.names[made].1 == "_reconstructor" =>
            {
                Ok(self.object(class))
            }
            (Value::Global(Global::Other(_)) | Value::Object(_), _) => Ok(self.object(function)),
            (Value::Other, _) => Ok(Value::Other),
            _ => Err(Fault::damaged("a call does not fit what it calls")),
        }
    }

    /// What a persistent id names: ("storage", type, key, device, number of elements), or, in whole modules of the
    /// format before PyTorch 1.6, ("module", class, file, source).
    pub fn persistent(&mut self, id: Value<'a>) -> Result<Value<'a>, Fault> {
        match *self.items(id)? {
            [
                Value::Text("storage"),
                Value::Global(Global::Storage(element)),
                Value::Text(key),
                _,
                Value::Int(count),
                ..,
            ] => {
                let count =
                    u64::try_from(count).map_err(|_| Fault::damaged("a storage's size is negative"))?;
                self.storages.push(Storage { key, element, count });
                Ok(Value::Storage(self.storages.len() - 1))
            }
            [Value::Text("storage"), kind @ Value::Global(Global::Other(_)), ..] => Ok(self.object(kind)),
            [Value::Text("module"), class, ..] => Ok(class),
            _ => Err(Fault::damaged("a reference to a storage is not of PyTorch's form")),
        }
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
