//! Protocol Buffers, the writing half: as much as ONNX needs.

/// A message under construction. Fields are numbered by its schema, in any order.
#[derive(Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// How a field's value is encoded.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Length = 2,
    Four = 5,
}

impl Message {
    /// The message's bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// A whole number (`int32`, `int64` or an enum).
    pub fn int(mut self, field: u32, value: i64) -> Self {
        self.key(field, Wire::Varint);
        self.varint(value.cast_unsigned());
        self
    }

    /// A `float`.
    pub fn float(mut self, field: u32, value: f32) -> Self {
        self.key(field, Wire::Four);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// A `string`.
    pub fn text(mut self, field: u32, text: &str) -> Self {
        self.length(field, text.len());
        self.0.extend(text.as_bytes());
        self
    }

    /// A message inside this one.
    pub fn message(mut self, field: u32, message: Self) -> Self {
        self.length(field, message.0.len());
        self.0.extend(message.0);
        self
    }

    /// One field for each element, as repeated fields are written.
    pub fn each<T>(self, of: impl IntoIterator<Item = T>, add: impl Fn(Self, T) -> Self) -> Self {
        of.into_iter().fold(self, add)
    }

    /// `bytes` that are floats, little-endian.
    pub fn raw_floats(mut self, field: u32, values: &[f32]) -> Self {
        self.length(field, size_of_val(values));
        self.0.reserve(size_of_val(values));
        values.iter().for_each(|value| self.0.extend(value.to_le_bytes()));
        self
    }

    /// The start of a field of `length` bytes.
    fn length(&mut self, field: u32, length: usize) {
        self.key(field, Wire::Length);
        self.varint(length as u64);
    }

    fn key(&mut self, field: u32, wire: Wire) {
        self.varint(u64::from(field << 3 | wire as u32));
    }

    /// Seven bits a byte, lowest first; the top bit says that more follow.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    /// The examples of protobuf.dev/programming-guides/encoding.
    #[test]
    fn the_documented_examples() {
        assert_eq!(Message::default().int(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().text(2, "testing").into_bytes(), b"\x12\x07testing");
        let inner = Message::default().int(1, 150);
        assert_eq!(Message::default().message(3, inner).into_bytes(), [0x1a, 0x03, 0x08, 0x96, 0x01]);
        let minus_two = Message::default().int(1, -2).into_bytes();
        assert_eq!(minus_two[1..], [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]);
        assert_eq!(Message::default().float(1, 1.0).into_bytes(), [0x0d, 0, 0, 0x80, 0x3f]);
        assert_eq!(Message::default().raw_floats(9, &[1.0]).into_bytes(), [0x4a, 4, 0, 0, 0x80, 0x3f]);
    }
}
