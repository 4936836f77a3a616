//! EBML writer (RFC 8794): variable-size integers, elements with any size field, the value types.

pub mod id;

/// How the size field of an element is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Size {
    /// The known size in the fewest bytes.
    #[default]
    Known,
    /// The known size in this many bytes, 1 to 8.
    Width(u8),
    /// Unknown: all value bits one, in this many bytes, 1 to 8.
    Unknown(u8),
}

/// A variable-size integer (RFC 8794 section 4) of `width` bytes.
///
/// Panics if the value does not fit or would read as "unknown".
pub fn vint(value: u64, width: u8) -> Vec<u8> {
    assert!((1..=8).contains(&width), "VINT of {width} bytes");
    let bits = 7 * u32::from(width);
    assert!(value < (1 << bits) - 1, "{value} does not fit a VINT of {width} bytes");
    let marked = value | 1 << bits;
    marked.to_be_bytes()[8 - usize::from(width)..].to_vec()
}

/// The variable-size integer of the fewest bytes.
pub fn shortest_vint(value: u64) -> Vec<u8> {
    let width = (1..=8).find(|width| value < (1 << (7 * width)) - 1).expect("a value below 2^56 - 1");
    vint(value, width as u8)
}

/// The size "unknown" in `width` bytes (RFC 8794 section 6.2).
pub fn unknown_size(width: u8) -> Vec<u8> {
    assert!((1..=8).contains(&width), "VINT of {width} bytes");
    let mut bytes = vec![0xFF; usize::from(width)];
    bytes[0] = 0xFF >> (width - 1);
    bytes
}

/// The bytes of an element ID. The marker bits are part of the constant.
pub fn id_bytes(id: u32) -> Vec<u8> {
    let zeros = (id.leading_zeros() / 8) as usize;
    id.to_be_bytes()[zeros..].to_vec()
}

/// An element with the shortest size field.
pub fn element(id: u32, payload: &[u8]) -> Vec<u8> {
    sized_element(id, Size::Known, payload)
}

/// An element whose size field is written as `size` says.
pub fn sized_element(id: u32, size: Size, payload: &[u8]) -> Vec<u8> {
    let mut bytes = id_bytes(id);
    bytes.extend(match size {
        Size::Known => shortest_vint(payload.len() as u64),
        Size::Width(width) => vint(payload.len() as u64, width),
        Size::Unknown(width) => unknown_size(width),
    });
    bytes.extend_from_slice(payload);
    bytes
}

/// A master element of these children.
pub fn master(id: u32, children: &[Vec<u8>]) -> Vec<u8> {
    element(id, &children.concat())
}

/// An unsigned integer element in the fewest bytes; 0 takes one byte.
pub fn uint(id: u32, value: u64) -> Vec<u8> {
    let zeros = (value.leading_zeros() as usize / 8).min(7);
    element(id, &value.to_be_bytes()[zeros..])
}

/// An unsigned integer element of `width` bytes, 0 to 8. A width of 0 means the element's default value.
pub fn uint_of_width(id: u32, value: u64, width: usize) -> Vec<u8> {
    assert!(width == 8 || value >> (8 * width) == 0, "{value} does not fit {width} bytes");
    element(id, &value.to_be_bytes()[8 - width..])
}

/// A signed integer element of 8 bytes.
pub fn sint(id: u32, value: i64) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

/// A float element of 8 bytes.
pub fn float(id: u32, value: f64) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

/// A float element of 4 bytes.
pub fn float32(id: u32, value: f32) -> Vec<u8> {
    element(id, &value.to_be_bytes())
}

/// A string element, ASCII or UTF-8; padding is part of `value`.
pub fn string(id: u32, value: &str) -> Vec<u8> {
    element(id, value.as_bytes())
}

/// A Void element with a payload of `length` zero bytes.
pub fn void(length: usize) -> Vec<u8> {
    element(id::VOID, &vec![0; length])
}

/// The payload of a master element with a CRC-32 element over it put in front (RFC 8794 section 11.3.1).
pub fn with_crc32(payload: &[u8]) -> Vec<u8> {
    let mut bytes = element(id::CRC_32, &crc32(payload).to_le_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// The IEEE CRC-32: reflected polynomial 0xEDB88320, initial value and final XOR all ones.
pub fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    })
}
