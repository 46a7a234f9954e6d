//! The pickle machine, cut down to what a state dict needs (Python's `pickletools` documents the whole).

use std::collections::HashMap;

use super::object::{Global, Heap, Value};
use crate::{Fault, bytes::Bytes};

/// The most steps a pickle may take: enough for some 20,000 tensors. Each costs a few words of memory, so
/// this bounds the stack, the memo and all objects together.
const MAX_STEPS: usize = 1 << 20;

/// The pickle machine: a stack, marks on it, and a memo of values to use again.
struct Machine<'a> {
    input: Bytes<'a>,
    stack: Vec<Value<'a>>,
    marks: Vec<usize>,
    memo: HashMap<u32, Value<'a>>,
    heap: Heap<'a>,
    steps_left: usize,
}

/// Run the pickle at the start of `bytes`: its objects, its result, and where it ends.
pub(super) fn run(bytes: &[u8]) -> Result<(Heap<'_>, Value<'_>, usize), Fault> {
    let mut machine = Machine {
        input: Bytes::new(bytes),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        heap: Heap::default(),
        // An instruction takes a byte or more; copies of shared arguments may cost as much again.
        steps_left: bytes.len().saturating_mul(2).min(MAX_STEPS),
    };
    loop {
        let at = machine.input.position();
        let located = |fault: Fault| fault.of(&format!("pickle byte {at}"));
        match machine.input.u8().map_err(located)? {
            b'.' => {
                let result = machine.pop().map_err(located)?;
                return Ok((machine.heap, result, machine.input.position()));
            }
            instruction => machine.step(instruction).map_err(located)?,
        }
    }
}

impl<'a> Machine<'a> {
    fn step(&mut self, instruction: u8) -> Result<(), Fault> {
        self.spend(1)?;
        match instruction {
            // PROTO and FRAME announce what follows anyway.
            0x80 => self.protocol()?,
            0x95 => _ = self.input.u64()?,
            b'(' => self.marks.push(self.stack.len()),
            b'q' => self.put(|input| input.u8().map(u32::from))?,
            b'r' => self.put(Bytes::u32)?,
            0x94 => self.memoize()?,
            b's' => self.set_items(2)?,
            b'u' => {
                let count = self.above_mark()?;
                self.set_items(count)?;
            }
            b'a' => self.append(1)?,
            // APPENDS to a list, ADDITEMS to a set.
            b'e' | 0x90 => {
                let count = self.above_mark()?;
                self.append(count)?;
            }
            // BUILD sets attributes; a state dict's `_metadata` is the only one of interest, and nothing here needs it.
            b'b' | b'0' => _ = self.pop()?,
            // POP_MARK
            b'1' => {
                let count = self.above_mark()?;
                self.pop_many(count)?;
            }
            b'p' => self.put(text_slot)?,
            _ => {
                let value = self.value(instruction)?;
                self.stack.push(value);
            }
        }
        Ok(())
    }

    /// The value that an instruction pushes.
    fn value(&mut self, instruction: u8) -> Result<Value<'a>, Fault> {
        Ok(match instruction {
            b'N' => Value::Other,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'K' => Value::Int(self.input.u8()?.into()),
            b'M' => Value::Int(self.input.u16()?.into()),
            b'J' => Value::Int(i32::from_le_bytes(self.input.array()?).into()),
            0x8a => self.long(|input| input.u8().map(u64::from))?,
            0x8b => self.long(|input| input.u32().map(u64::from))?,
            b'G' => self.input.take(8).map(|_| Value::Other)?,
            b'I' | b'L' => decimal(self.input.line()?),
            b'F' | b'S' | b'V' => self.input.line().map(|_| Value::Other)?,
            b'X' => self.text(|input| input.u32().map(u64::from))?,
            0x8c => self.text(|input| input.u8().map(u64::from))?,
            0x8d => self.text(Bytes::u64)?,
            // Strings of Python 2, which may hold any bytes.
            b'U' => self.string(|input| input.u8().map(u64::from))?,
            b'T' => self.string(|input| input.u32().map(u64::from))?,
            b'C' => self.bytes(|input| input.u8().map(u64::from))?,
            b'B' => self.bytes(|input| input.u32().map(u64::from))?,
            0x8e | 0x96 => self.bytes(Bytes::u64)?,
            b')' | b']' | 0x8f => self.heap.sequence(Vec::new()),
            0x85..=0x87 => self.sequence(usize::from(instruction - 0x84))?,
            b't' | b'l' | 0x91 => {
                let count = self.above_mark()?;
                self.sequence(count)?
            }
            b'}' => self.heap.dict(Vec::new()),
            b'd' => self.dict_of_pairs()?,
            b'2' => self.top()?,
            b'h' => self.get(|input| input.u8().map(u32::from))?,
            b'j' => self.get(Bytes::u32)?,
            b'g' => self.get(text_slot)?,
            b'c' => Value::Global(self.heap.global(self.input.line()?, self.input.line()?)?),
            0x93 => self.global_on_stack()?,
            b'R' => self.call()?,
            b'i' | b'o' | 0x81 | 0x92 => self.instance(instruction)?,
            b'Q' => {
                let id = self.pop()?;
                self.heap.persistent(id)?
            }
            other => {
                return Err(Fault::Unsupported(format!(
                    "its pickle has an instruction weights do not need ({other:#04x})"
                )));
            }
        })
    }

    fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        let left = self.steps_left.checked_sub(steps);
        self.steps_left = left.ok_or_else(|| Fault::TooLarge("too many steps of its pickle".into()))?;
        Ok(())
    }

    fn protocol(&mut self) -> Result<(), Fault> {
        match self.input.u8()? {
            0..=5 => Ok(()),
            newer => Err(Fault::Unsupported(format!("its pickle is of protocol {newer}"))),
        }
    }

    /// How many values lie above the last mark, which is removed.
    fn above_mark(&mut self) -> Result<usize, Fault> {
        let mark = self.marks.pop().ok_or_else(|| Fault::damaged("a mark is missing"))?;
        Ok(self.stack.len() - mark)
    }

    /// The top values. Those below the last mark are out of reach, so that no mark ever points past the stack.
    fn pop_many(&mut self, count: usize) -> Result<Vec<Value<'a>>, Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        match self.stack.len().checked_sub(count) {
            Some(start) if start >= floor => Ok(self.stack.split_off(start)),
            _ => Err(Fault::damaged("its stack runs empty")),
        }
    }

    fn pop(&mut self) -> Result<Value<'a>, Fault> {
        let value = self.top()?;
        self.stack.pop();
        Ok(value)
    }

    fn top(&self) -> Result<Value<'a>, Fault> {
        let floor = self.marks.last().copied().unwrap_or(0);
        self.stack[floor..].last().copied().ok_or_else(|| Fault::damaged("its stack runs empty"))
    }

    fn sequence(&mut self, count: usize) -> Result<Value<'a>, Fault> {
        let items = self.pop_many(count)?;
        Ok(self.heap.sequence(items))
    }

    fn append(&mut self, count: usize) -> Result<(), Fault> {
        let items = self.pop_many(count)?;
        match self.top()? {
            Value::Sequence(list) => self.heap.sequences[list].extend(items),
            Value::Other | Value::Object(_) => {}
            _ => return Err(Fault::damaged("an item is appended to what is no list")),
        }
        Ok(())
    }

    fn set_items(&mut self, count: usize) -> Result<(), Fault> {
        let pairs = self.pop_pairs(count)?;
        match self.top()? {
            Value::Dict(dict) => self.heap.dicts[dict].extend(pairs),
            Value::Object(object) => self.heap.objects[object].items.extend(pairs),
            Value::Other => {}
            _ => return Err(Fault::damaged("an item is set in what is no dict")),
        }
        Ok(())
    }

    /// DICT: a dict of the pairs above the mark.
    fn dict_of_pairs(&mut self) -> Result<Value<'a>, Fault> {
        let count = self.above_mark()?;
        let pairs = self.pop_pairs(count)?;
        Ok(self.heap.dict(pairs))
    }

    fn pop_pairs(&mut self, count: usize) -> Result<Vec<(Value<'a>, Value<'a>)>, Fault> {
        let items = self.pop_many(count)?;
        let (pairs, rest) = items.as_chunks();
        if !rest.is_empty() {
            return Err(Fault::damaged("a dict has a key without a value"));
        }
        Ok(pairs.iter().map(|&[key, value]| (key, value)).collect())
    }

    /// An object that Python would make by its class: INST, OBJ, NEWOBJ, NEWOBJ_EX. It gets a name and nothing else.
    fn instance(&mut self, instruction: u8) -> Result<Value<'a>, Fault> {
        let class = match instruction {
            b'i' => {
                let class = self.heap.global(self.input.line()?, self.input.line()?)?;
                let count = self.above_mark()?;
                self.pop_many(count)?;
                Value::Global(class)
            }
            b'o' => {
                let count = self.above_mark()?;
                let parts = self.pop_many(count)?;
                *parts.first().ok_or_else(|| Fault::damaged("an object has no class"))?
            }
            // The class lies below its arguments, and with NEWOBJ_EX below those with names, too.
            _ => self.pop_many(if instruction == 0x92 { 3 } else { 2 })?[0],
        };
        match class {
            // `OrderedDict` and its kind may be made this way, too.
            Value::Global(Global::OrderedDict) => Ok(self.heap.dict(Vec::new())),
            class => Ok(self.heap.object(class)),
        }
    }

    fn put(&mut self, slot: impl Fn(&mut Bytes<'a>) -> Result<u32, Fault>) -> Result<(), Fault> {
        let slot = slot(&mut self.input)?;
        self.memo.insert(slot, self.top()?);
        Ok(())
    }

    /// MEMOIZE puts the top value into the next free slot.
    fn memoize(&mut self) -> Result<(), Fault> {
        let next = self.memo.len() as u32;
        self.put(|_| Ok(next))
    }

    fn get(&mut self, slot: impl Fn(&mut Bytes<'a>) -> Result<u32, Fault>) -> Result<Value<'a>, Fault> {
        let slot = slot(&mut self.input)?;
        self.memo.get(&slot).copied().ok_or_else(|| Fault::damaged(format!("its memo has no value {slot}")))
    }

    fn text(&mut self, length: impl Fn(&mut Bytes<'a>) -> Result<u64, Fault>) -> Result<Value<'a>, Fault> {
        let length = length(&mut self.input)?;
        self.input.text(length).map(Value::Text)
    }

    fn bytes(&mut self, length: impl Fn(&mut Bytes<'a>) -> Result<u64, Fault>) -> Result<Value<'a>, Fault> {
        let length = length(&mut self.input)?;
        self.input.take(length).map(|_| Value::Other)
    }

    fn string(&mut self, length: impl Fn(&mut Bytes<'a>) -> Result<u64, Fault>) -> Result<Value<'a>, Fault> {
        let length = length(&mut self.input)?;
        let bytes = self.input.take(length)?;
        Ok(std::str::from_utf8(bytes).map_or(Value::Other, Value::Text))
    }

    /// LONG1 and LONG4: a two's complement integer.
    fn long(&mut self, length: impl Fn(&mut Bytes<'a>) -> Result<u64, Fault>) -> Result<Value<'a>, Fault> {
        let length = length(&mut self.input)?;
        let bytes = self.input.take(length)?;
        if bytes.len() > 8 {
            return Ok(Value::Long(bytes));
        }
        let negative = bytes.last().is_some_and(|&byte| byte >= 0x80);
        let mut extended = [if negative { 0xff } else { 0 }; 8];
        extended[..bytes.len()].copy_from_slice(bytes);
        Ok(Value::Int(i64::from_le_bytes(extended)))
    }

    fn global_on_stack(&mut self) -> Result<Value<'a>, Fault> {
        match self.pop_many(2)?[..] {
            [Value::Text(module), Value::Text(name)] => self.heap.global(module, name).map(Value::Global),
            _ => Err(Fault::damaged("a global's name is not text")),
        }
    }

    fn call(&mut self) -> Result<Value<'a>, Fault> {
        let arguments = self.pop()?;
        let function = self.pop()?;
        // A call may copy its arguments, and may be repeated from the memo: it costs what it copies.
        let length = |value: &Value<'a>| self.heap.items(*value).map_or(0, <[_]>::len);
        let cost = self.heap.items(arguments)?.iter().map(length).sum();
        self.spend(cost)?;
        self.heap.call(function, arguments)
    }
}

/// A whole number in decimal digits, as protocols 0 and 1 write it; theirs are also the booleans `00` and `01`.
fn decimal(text: &str) -> Value<'_> {
    match text {
        "00" => Value::Bool(false),
        "01" => Value::Bool(true),
        _ => text.trim_end_matches('L').parse().map_or(Value::Other, Value::Int),
    }
}

/// A place in the memo in decimal digits.
fn text_slot(input: &mut Bytes<'_>) -> Result<u32, Fault> {
    let text = input.line()?;
    text.parse().map_err(|_| Fault::damaged(format!("its memo has no value {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_as_python_2_wrote_them_are_a_dict() {
        let pickle =
            b"\x80\x02ccollections\nOrderedDict\n](](U\x01aK\x01e](U\x01bJ\xfe\xff\xff\xffee\x85R.next";
        let (heap, root, end) = run(pickle).unwrap();
        let pairs = [(Value::Text("a"), Value::Int(1)), (Value::Text("b"), Value::Int(-2))];
        assert!(matches!(root, Value::Dict(dict) if heap.dicts[dict] == pairs));
        assert_eq!(&pickle[end..], b"next");
    }

    #[test]
    fn integers_have_their_sign() {
        let result = |pickle| run(pickle).unwrap().1;
        assert_eq!(result(b"\x8a\x00."), Value::Int(0));
        assert_eq!(result(b"\x8a\x01\xff."), Value::Int(-1));
        assert_eq!(result(b"\x8a\x02\xff\x00."), Value::Int(255));
        assert_eq!(result(b"\x8a\x08\0\0\0\0\0\0\0\x80."), Value::Int(i64::MIN));
        assert_eq!(result(b"\x8a\x09\0\0\0\0\0\0\0\x80\0."), Value::Long(b"\0\0\0\0\0\0\0\x80\0"));
    }

    #[test]
    fn a_mark_hides_what_lies_below_it() {
        assert!(run(b"K\x01(\x85.").is_err());
        assert!(run(b"K\x01(.").is_err());
        assert!(run(b"}(K\x01u.").is_err(), "a key without a value");
    }
}
