//! Messages of Protocol Buffers (<https://protobuf.dev/programming-guides/encoding>).

/// A field's value: its bits, or its bytes.
#[derive(Clone, Copy, Debug)]
pub enum Field<'a> {
    Bits(u64),
    Bytes(&'a [u8]),
}

/// Little-endian bytes.
pub fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// The fields of a message by their numbers.
pub fn fields(mut bytes: &[u8]) -> Vec<(u64, Field<'_>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let end = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
        let value = bytes[..=end].iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
        *bytes = &bytes[end + 1..];
        value
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let (width, value) = match tag & 7 {
            0 => (0, Field::Bits(varint(&mut bytes))),
            1 => (8, Field::Bits(number(&bytes[..8]))),
            5 => (4, Field::Bits(number(&bytes[..4]))),
            2 => {
                let length = varint(&mut bytes) as usize;
                (length, Field::Bytes(&bytes[..length]))
            }
            other => panic!("no such wire type: {other}"),
        };
        bytes = &bytes[width..];
        found.push((tag >> 3, value));
    }
    found
}

/// The fields of this number, each of which must have bytes.
#[track_caller]
pub fn all<'a>(fields: &[(u64, Field<'a>)], wanted: u64) -> Vec<&'a [u8]> {
    let bytes = |field: &(u64, Field<'a>)| match field.1 {
        Field::Bytes(bytes) => bytes,
        Field::Bits(bits) => panic!("field {wanted} is {bits}"),
    };
    fields.iter().filter(|(field, _)| *field == wanted).map(bytes).collect()
}

/// The bytes of the first field of this number.
#[track_caller]
pub fn bytes<'a>(fields: &[(u64, Field<'a>)], wanted: u64) -> Option<&'a [u8]> {
    all(fields, wanted).first().copied()
}

/// The bits of the first field of this number.
#[track_caller]
pub fn bits(fields: &[(u64, Field<'_>)], wanted: u64) -> Option<u64> {
    fields.iter().find(|(field, _)| *field == wanted).map(|(_, value)| match value {
        Field::Bits(bits) => *bits,
        Field::Bytes(bytes) => panic!("field {wanted} is {bytes:?}"),
    })
}
