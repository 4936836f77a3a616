//! Box walker for ISO/IEC 14496-12: sizes must be exact, children must fill their parent.

use std::fmt;
use std::ops::Range;

/// A box type.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FourCc(pub [u8; 4]);

impl fmt::Display for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for FourCc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{self}'")
    }
}

impl PartialEq<&str> for FourCc {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

/// One box of a file.
#[derive(Debug, Clone)]
pub struct BoxView<'a> {
    /// Type of the box.
    pub fourcc: FourCc,
    /// The whole file.
    file: &'a [u8],
    /// Where the box stands in the file, header included.
    pub range: Range<usize>,
    /// 8, or 16 with a 64-bit size.
    pub header_size: usize,
}

impl<'a> BoxView<'a> {
    /// Everything after the header.
    pub fn payload(&self) -> &'a [u8] {
        &self.file[self.payload_range()]
    }

    /// Where the payload stands in the file.
    pub fn payload_range(&self) -> Range<usize> {
        self.range.start + self.header_size..self.range.end
    }

    /// The payload as a stream of fields.
    pub fn fields(&self) -> Fields<'a> {
        Fields { what: self.fourcc, bytes: self.payload() }
    }

    /// The fields of a FullBox after version and flags, with these two.
    pub fn full_box(&self) -> (u8, u32, Fields<'a>) {
        let mut fields = self.fields();
        let word = fields.u32();
        ((word >> 24) as u8, word & 0x00FF_FFFF, fields)
    }

    /// The child boxes, after the fields that this type of box has in front of them.
    pub fn children(&self) -> Vec<BoxView<'a>> {
        let fields_before = match &self.fourcc.0 {
            b"stsd" | b"dref" => 8,
            b"meta" => 4,
            // VisualSampleEntry, section 12.1.3.
            b"avc1" | b"avc3" | b"hvc1" | b"hev1" => 78,
            // AudioSampleEntry, section 12.2.3.
            b"mp4a" | b"alaw" | b"ulaw" => 28,
            _ => 0,
        };
        let payload = self.payload_range();
        assert!(payload.len() >= fields_before, "{self}: shorter than its own fields");
        boxes(self.file, payload.start + fields_before..payload.end)
    }

    /// The only child of this type; none is `None`, several are an error.
    pub fn child(&self, fourcc: &str) -> Option<BoxView<'a>> {
        let mut found = self.children().into_iter().filter(|child| child.fourcc == fourcc);
        let first = found.next();
        assert!(found.next().is_none(), "{self}: more than one {fourcc}");
        first
    }

    /// The child of this type, which must be there.
    pub fn expect(&self, fourcc: &str) -> BoxView<'a> {
        self.child(fourcc).unwrap_or_else(|| panic!("{self}: no {fourcc}"))
    }
}

impl fmt::Display for BoxView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "box {:?} at byte {}", self.fourcc, self.range.start)
    }
}

/// The boxes that fill `range` of the file.
pub fn boxes(file: &[u8], range: Range<usize>) -> Vec<BoxView<'_>> {
    let mut found = Vec::new();
    let mut start = range.start;
    while start < range.end {
        let left = &file[start..range.end];
        assert!(left.len() >= 8, "{} stray bytes at byte {start}", left.len());
        let fourcc = FourCc(left[4..8].try_into().unwrap());
        let short = u32::from_be_bytes(left[..4].try_into().unwrap());
        let (header_size, size) = match short {
            1 => {
                assert!(left.len() >= 16, "box {fourcc:?} at byte {start}: cut in its 64-bit size");
                (16, u64::from_be_bytes(left[8..16].try_into().unwrap()))
            }
            size => (8, u64::from(size)),
        };
        let size = usize::try_from(size).unwrap();
        assert!(
            (header_size..=left.len()).contains(&size),
            "box {fourcc:?} at byte {start}: size {size} with {} bytes left in its parent",
            left.len()
        );
        found.push(BoxView { fourcc, file, range: start..start + size, header_size });
        start += size;
    }
    found
}

/// The types of the top-level boxes in order.
pub fn top_level(file: &[u8]) -> Vec<String> {
    boxes(file, 0..file.len()).iter().map(|found| found.fourcc.to_string()).collect()
}

/// Every box at a path such as `moov/trak/mdia`, in file order.
pub fn find_all<'a>(file: &'a [u8], path: &str) -> Vec<BoxView<'a>> {
    let mut names = path.split('/');
    let first = names.next().unwrap();
    let top: Vec<_> = boxes(file, 0..file.len()).into_iter().filter(|found| found.fourcc == first).collect();
    names.fold(top, |parents, name| {
        parents.iter().flat_map(BoxView::children).filter(|child| child.fourcc == name).collect()
    })
}

/// The first box at a path.
pub fn find<'a>(file: &'a [u8], path: &str) -> Option<BoxView<'a>> {
    find_all(file, path).into_iter().next()
}

/// Big-endian fields of a box, one after the other.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    what: FourCc,
    bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    /// Takes the next `count` bytes.
    pub fn take(&mut self, count: usize) -> &'a [u8] {
        assert!(
            self.bytes.len() >= count,
            "box {:?}: ends {} bytes early",
            self.what,
            count - self.bytes.len()
        );
        let (taken, rest) = self.bytes.split_at(count);
        self.bytes = rest;
        taken
    }

    /// Takes an unsigned integer of 8 bits.
    pub fn u8(&mut self) -> u8 {
        self.take(1)[0]
    }

    /// Takes an unsigned integer of 16 bits.
    pub fn u16(&mut self) -> u16 {
        u16::from_be_bytes(self.take(2).try_into().unwrap())
    }

    /// Takes an unsigned integer of 32 bits.
    pub fn u32(&mut self) -> u32 {
        u32::from_be_bytes(self.take(4).try_into().unwrap())
    }

    /// Takes a signed integer of 32 bits.
    pub fn i32(&mut self) -> i32 {
        i32::from_be_bytes(self.take(4).try_into().unwrap())
    }

    /// Takes an unsigned integer of 64 bits.
    pub fn u64(&mut self) -> u64 {
        u64::from_be_bytes(self.take(8).try_into().unwrap())
    }

    /// Takes a signed integer of 64 bits.
    pub fn i64(&mut self) -> i64 {
        i64::from_be_bytes(self.take(8).try_into().unwrap())
    }

    /// 32 bits in version 0 of a box, 64 in version 1.
    pub fn versioned(&mut self, version: u8) -> u64 {
        match version {
            0 => self.u32().into(),
            1 => self.u64(),
            _ => panic!("box {:?}: version {version}", self.what),
        }
    }

    /// The bytes that have not been taken.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// The box must end here.
    pub fn end(self) {
        assert!(
            self.bytes.is_empty(),
            "box {:?}: {} bytes after its last field",
            self.what,
            self.bytes.len()
        );
    }
}
