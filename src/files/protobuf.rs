//! Messages in the wire format of Protocol Buffers (<https://protobuf.dev/programming-guides/encoding/>), of which ONNX models and
//! TensorBoard's events are made: each field is a number and a kind, then its value. Fields stand in the order in which they are
//! given, so that the same calls give the same bytes.

/// A message being written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message(Vec<u8>);

impl Message {
    /// Without fields.
    pub fn new() -> Message {
        Message::default()
    }

    /// Seven bits a byte, the lowest first; the highest bit says that another byte follows.
    fn push(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// The number of a field and how its value is written: 0 in groups of seven bits, 1 as eight bytes, 2 as a length and so many
    /// bytes, 5 as four bytes.
    fn tag(mut self, field: u32, wire: u64) -> Message {
        self.push(u64::from(field) << 3 | wire);
        self
    }

    /// A field of type int32, int64, uint32, uint64, bool or of an enum; negative numbers take ten bytes.
    #[must_use]
    pub fn int(self, field: u32, value: i64) -> Message {
        let mut message = self.tag(field, 0);
        message.push(value as u64);
        message
    }

    /// A field of type float.
    #[must_use]
    pub fn float(self, field: u32, value: f32) -> Message {
        let mut message = self.tag(field, 5);
        message.0.extend(value.to_le_bytes());
        message
    }

    /// A field of type double.
    #[must_use]
    pub fn double(self, field: u32, value: f64) -> Message {
        let mut message = self.tag(field, 1);
        message.0.extend(value.to_le_bytes());
        message
    }

    /// A field of type bytes or string.
    #[must_use]
    pub fn bytes(self, field: u32, value: impl AsRef<[u8]>) -> Message {
        let mut message = self.tag(field, 2);
        message.push(value.as_ref().len() as u64);
        message.0.extend(value.as_ref());
        message
    }

    /// A field that is a message itself.
    #[must_use]
    pub fn message(self, field: u32, value: Message) -> Message {
        self.bytes(field, value.0)
    }

    /// A repeated field of integers, packed.
    #[must_use]
    pub fn ints(self, field: u32, values: impl IntoIterator<Item = i64>) -> Message {
        let mut packed = Message::new();
        values.into_iter().for_each(|value| packed.push(value as u64));
        self.message(field, packed)
    }

    /// A repeated field of type double, packed.
    #[must_use]
    pub fn doubles(self, field: u32, values: &[f64]) -> Message {
        self.bytes(field, values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
    }

    /// What has been written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_format_says() {
        // The examples of the page on encoding: 150 in field 1, "testing" in field 2, the first message within field 3,
        // 3, 270 and 86942 packed in field 6.
        assert_eq!(Message::new().int(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        assert_eq!(Message::new().bytes(2, "testing").into_bytes(), *b"\x12\x07testing");
        assert_eq!(Message::new().message(3, Message::new().int(1, 150)).into_bytes(), [0x1a, 3, 0x08, 0x96, 0x01]);
        assert_eq!(Message::new().ints(6, [3, 270, 86942]).into_bytes(), [0x32, 6, 0x03, 0x8e, 0x02, 0x9e, 0xa7, 0x05]);
        assert_eq!(
            Message::new().int(1, -2).into_bytes(),
            [0x08, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]
        );
        assert_eq!(Message::new().float(17, 1.0).into_bytes(), [0x8d, 0x01, 0, 0, 0x80, 0x3f]);
        assert_eq!(Message::new().double(1, -2.0).into_bytes(), [0x09, 0, 0, 0, 0, 0, 0, 0, 0xc0]);
        assert_eq!(Message::new().doubles(1, &[1.0]).into_bytes(), [0x0a, 8, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    }
}
