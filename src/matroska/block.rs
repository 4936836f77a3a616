//! Block structure (RFC 9559 section 10.1) and lacing (section 10.3).

use crate::error::Error;
use crate::matroska::ebml::{Cursor, hex, read_vint, vint};
use crate::matroska::ids;

/// Flags of a block (RFC 9559 sections 10.1 and 10.2).
const KEY: u8 = 0x80;
const LACING: u8 = 0b110;

/// The headers of a SimpleBlock as the service's producers write it: a track number of one byte, and no lacing.
///
/// Nearly every element of a stream is one, and this tells it at a glance. It says nothing else than
/// [`ElementHeader`](super::ElementHeader) and [`BlockHeader`] do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlainBlock {
    /// Track number.
    pub(crate) track: u8,
    pub(crate) key: bool,
    /// Presentation time relative to the Cluster's, in ticks of TimestampScale.
    pub(crate) time: i16,
    /// Bytes of the headers.
    pub(crate) header_len: u8,
    /// Bytes of the frame behind them.
    pub(crate) frame_len: u64,
}

impl PlainBlock {
    /// The longest headers: an ID of one byte, a size of eight, and four.
    const MAX_HEADER_LEN: usize = 13;

    /// Reads the headers off the front of some bytes. `None` for everything else, or if the bytes may be too few.
    #[inline]
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        const SIMPLE_BLOCK: u8 = ids::SIMPLE_BLOCK as u8;
        let front: &[u8; Self::MAX_HEADER_LEN] = bytes.first_chunk()?;
        let (&SIMPLE_BLOCK, behind) = front.split_first()? else { return None };
        let (size, size_len) = vint(*behind.first_chunk()?)?;
        let behind = behind.get(usize::from(size_len)..)?;
        let &[track @ 0x81..=0xFE, high, low, flags] = behind.first_chunk()? else { return None };
        (flags & LACING == 0).then_some(Self {
            track: track & 0x7F,
            key: flags & KEY != 0,
            time: i16::from_be_bytes([high, low]),
            header_len: size_len.wrapping_add(5),
            frame_len: size?.checked_sub(4)?,
        })
    }
}

/// The header of a SimpleBlock or a Block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BlockHeader {
    /// Track number.
    pub(crate) track: u64,
    /// Presentation time relative to the Cluster's, in ticks of TimestampScale.
    pub(crate) time: i16,
    /// Key flag; only a SimpleBlock has one.
    pub(crate) key: bool,
    lacing: Lacing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lacing {
    None,
    Xiph,
    FixedSize,
    Ebml,
}

impl BlockHeader {
    /// Reads the header off the front of a block's payload. Answers what is behind it too.
    pub(crate) fn read(mut block: Cursor<'_>) -> Result<(Self, Cursor<'_>), Error> {
        let at = block.offset();
        let cut = |found| Error::malformed("a block header of 4 bytes or more", hex(found)).at(at);
        let bytes = block.rest();
        let (track, width) = read_vint(bytes).ok_or_else(|| cut(bytes))?;
        let track = track.ok_or_else(|| Error::malformed("a track number", "unknown size").at(at))?;
        let behind = bytes.get(usize::from(width)..).and_then(<[u8]>::first_chunk);
        let Some(&[high, low, flags]) = behind else { return Err(cut(bytes)) };
        block.take(u64::from(width).saturating_add(3));
        let lacing = match flags & LACING {
            0b000 => Lacing::None,
            0b010 => Lacing::Xiph,
            0b100 => Lacing::FixedSize,
            _ => Lacing::Ebml,
        };
        Ok((Self { track, time: i16::from_be_bytes([high, low]), key: flags & KEY != 0, lacing }, block))
    }

    /// The frames of the block, whose header was read off `cursor`. `None` if what follows is one frame.
    pub(crate) fn lace<'a>(&self, mut cursor: Cursor<'a>) -> Result<Option<Lace<'a>>, Error> {
        if self.lacing == Lacing::None {
            return Ok(None);
        }
        let at = cursor.offset();
        let Some(&[count_minus_one]) = cursor.take(1) else {
            return Err(Error::malformed("the number of frames in the lace", "the end of the block").at(at));
        };
        let count = u16::from(count_minus_one).saturating_add(1);
        let mut sizes = LaceSizes { lacing: self.lacing, cursor, last: None };
        if self.lacing == Lacing::FixedSize {
            let total = cursor.rest().len() as u64;
            let size = total.checked_div(u64::from(count)).unwrap_or(0);
            if size.checked_mul(u64::from(count)) != Some(total) {
                let found = format!("{total} bytes");
                return Err(Error::malformed(format!("{count} frames of one size"), found).at(at));
            }
            sizes.last = Some(size);
        }
        // Once over the sizes, to find where the data begins; they are read again as the frames are handed out.
        let start = sizes;
        for _ in 1..count {
            sizes.next()?;
        }
        Ok(Some(Lace { sizes: start, data: sizes.cursor, count, left: count }))
    }
}

/// The frames of one block, in order.
#[derive(Debug, Clone)]
pub(crate) struct Lace<'a> {
    sizes: LaceSizes<'a>,
    data: Cursor<'a>,
    count: u16,
    left: u16,
}

impl<'a> Lace<'a> {
    /// Number of frames in the block, 1 to 256.
    pub(crate) fn count(&self) -> u16 {
        self.count
    }

    /// The next frame. A frame of a lace has at least one byte, so that frames cannot cost less than they take to
    /// describe.
    pub(crate) fn next(&mut self) -> Result<Option<Cursor<'a>>, Error> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let at = self.data.offset();
        let available = self.data.rest().len() as u64;
        let size = if left == 0 { available } else { self.sizes.next()? };
        match self.data.take(size) {
            Some(frame) if size > 0 => Ok(Some(Cursor::new(frame, at))),
            _ => {
                let expected = format!("a laced frame of 1 to {available} bytes");
                Err(Error::malformed(expected, format!("a size of {size}")).at(at))
            }
        }
    }
}

/// The sizes in front of a lace. That of the last frame is not among them: it takes what is left.
#[derive(Debug, Clone, Copy)]
struct LaceSizes<'a> {
    lacing: Lacing,
    cursor: Cursor<'a>,
    last: Option<u64>,
}

impl LaceSizes<'_> {
    fn next(&mut self) -> Result<u64, Error> {
        let at = self.cursor.offset();
        let size = match (self.lacing, self.last) {
            (Lacing::Xiph, _) => self.xiph(),
            (Lacing::Ebml, None) => self.vint().map(|(value, _)| value),
            (Lacing::Ebml, Some(last)) => self.vint().and_then(|(value, width)| {
                // A signed difference: the range of the VINT, shifted to be symmetric about 0.
                let bias = (1_i64 << (7 * u32::from(width)).saturating_sub(1)).saturating_sub(1);
                last.checked_add_signed(i64::try_from(value).ok()?.saturating_sub(bias))
            }),
            (Lacing::FixedSize | Lacing::None, last) => last,
        };
        self.last = size;
        size.ok_or_else(|| Error::malformed("the size of a laced frame", hex(self.cursor.rest())).at(at))
    }

    fn xiph(&mut self) -> Option<u64> {
        let mut size: u64 = 0;
        loop {
            let &[byte] = self.cursor.take(1)? else { return None };
            size = size.saturating_add(u64::from(byte));
            if byte < 255 {
                return Some(size);
            }
        }
    }

    fn vint(&mut self) -> Option<(u64, u8)> {
        let (value, width) = read_vint(self.cursor.rest())?;
        self.cursor.take(u64::from(width))?;
        Some((value?, width))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    use super::*;
    use crate::matroska::{ElementHeader, HeaderRead};

    fn frames(block: &[u8]) -> Result<Vec<&[u8]>, Error> {
        let (header, behind) = BlockHeader::read(Cursor::new(block, 0))?;
        let mut lace = header.lace(behind)?.expect("a laced block");
        let mut frames = Vec::new();
        while let Some(frame) = lace.next()? {
            frames.push(frame.rest());
        }
        Ok(frames)
    }

    fn header(block: &[u8]) -> BlockHeader {
        BlockHeader::read(Cursor::new(block, 0)).unwrap().0
    }

    #[test]
    fn headers() {
        let (unlaced, behind) = BlockHeader::read(Cursor::new(&[0x81, 0, 0, 0, 7], 0)).unwrap();
        assert!(unlaced.lace(behind).unwrap().is_none());
        let simple = header(&[0x81, 0xFF, 0xFE, 0x80]);
        assert_eq!((simple.track, simple.time, simple.key), (1, -2, true));
        let wide = header(&[0x40, 0x02, 0x01, 0x00, 0x00]);
        assert_eq!((wide.track, wide.time, wide.key), (2, 256, false));
        assert!(BlockHeader::read(Cursor::new(&[0x81, 0, 0], 0)).is_err());
        assert!(BlockHeader::read(Cursor::new(&[0xFF, 0, 0, 0], 0)).is_err());
    }

    // The layouts of RFC 9559 sections 10.3.2 to 10.3.4, which lace frames of 800, 500 and 1000 octets.
    #[test]
    fn xiph_ebml_and_fixed_size_lacing() {
        let data = |sizes: &[usize]| -> Vec<u8> {
            sizes.iter().enumerate().flat_map(|(i, &size)| vec![i as u8 + 1; size]).collect()
        };
        let sizes = |block: &[u8]| frames(block).unwrap().iter().map(|f| (f[0], f.len())).collect::<Vec<_>>();
        let want = [(1, 800), (2, 500), (3, 1000)];

        let xiph =
            [&[0x81, 0, 0, 0x02, 2, 255, 255, 255, 35, 255, 245][..], &data(&[800, 500, 1000])].concat();
        assert_eq!(sizes(&xiph), want);
        let ebml = [&[0x81, 0, 0, 0x06, 2, 0x43, 0x20, 0x5E, 0xD3][..], &data(&[800, 500, 1000])].concat();
        assert_eq!(sizes(&ebml), want);
        let fixed = [&[0x81, 0, 0, 0x04, 2][..], &data(&[8, 8, 8])].concat();
        assert_eq!(sizes(&fixed), [(1, 8), (2, 8), (3, 8)]);
    }

    #[test]
    fn laces_that_lie() {
        let uneven = frames(&[0x81, 0, 0, 0x04, 1, 9, 9, 9]).unwrap_err();
        assert!(uneven.to_string().contains("2 frames of one size"), "{uneven}");
        let past_the_end = frames(&[0x81, 0, 0, 0x02, 1, 200, 9, 9]).unwrap_err();
        assert_eq!(past_the_end.location().offset, Some(6));
        let empty_frames = frames(&[0x81, 0, 0, 0x04, 255]).unwrap_err();
        assert!(empty_frames.to_string().contains("a size of 0"), "{empty_frames}");
        assert!(frames(&[0x81, 0, 0, 0x06, 2, 0x81, 0x80, 9, 9]).is_err(), "a negative size");
        assert!(frames(&[0x81, 0, 0, 0x02]).is_err(), "no count");
    }

    /// What the general readers of element and block headers find at the front of these bytes, where that is an
    /// unlaced SimpleBlock of a track number of one byte other than 0.
    fn read_in_general(bytes: &[u8]) -> Option<PlainBlock> {
        let HeaderRead::Header(element) = ElementHeader::read(bytes) else { return None };
        let (id, size) = (element.id, element.size?);
        let payload = bytes.get(usize::from(element.len)..)?;
        let payload = payload.get(..payload.len().min(usize::try_from(size).unwrap()))?;
        let (block, frame) = BlockHeader::read(Cursor::new(payload, 0)).ok()?;
        let is_plain = id == ids::SIMPLE_BLOCK
            && block.lacing == Lacing::None
            && frame.offset() == 4
            && (1..=126).contains(&block.track);
        is_plain.then(|| PlainBlock {
            track: u8::try_from(block.track).unwrap(),
            key: block.key,
            time: block.time,
            header_len: element.len + 4,
            frame_len: size - 4,
        })
    }

    /// The bytes of a SimpleBlock, or of something close to one.
    fn near_plain_blocks() -> impl Strategy<Value = Vec<u8>> {
        let id = prop_oneof![4 => Just(vec![0xA3]), 1 => vec(any::<u8>(), 1..4)];
        let size = (1_u32..=8, any::<u64>(), any::<bool>()).prop_map(|(width, value, is_small)| {
            let value = if is_small { value % 128 } else { value };
            let marker = 1_u64 << (7 * width);
            ((value & (marker - 1)) | marker).to_be_bytes()[8 - width as usize..].to_vec()
        });
        let track = prop_oneof![2 => 0x80_u8..=0xFF, 1 => any::<u8>()];
        let flags = prop_oneof![2 => Just(0_u8), 2 => Just(KEY), 1 => any::<u8>()];
        (id, size, track, any::<[u8; 2]>(), flags, vec(any::<u8>(), 0..16)).prop_map(
            |(id, size, track, time, flags, frame)| {
                [id, size, vec![track], time.to_vec(), vec![flags], frame].concat()
            },
        )
    }

    fn assert_plain_block_agrees(bytes: &[u8]) {
        let enough = bytes.len() >= PlainBlock::MAX_HEADER_LEN;
        let general = read_in_general(bytes).filter(|_| enough);
        assert_eq!(PlainBlock::read(bytes), general, "{bytes:02X?}");
    }

    proptest! {
        #[test]
        fn a_plain_block_is_what_the_general_readers_say(
            near in near_plain_blocks(),
            arbitrary in vec(any::<u8>(), 0..32),
        ) {
            assert_plain_block_agrees(&near);
            assert_plain_block_agrees(&arbitrary);
        }
    }

    #[test]
    fn near_plain_blocks_are_often_plain() {
        let mut runner = TestRunner::deterministic();
        let found = (0..1000).filter(|_| {
            let bytes = near_plain_blocks().new_tree(&mut runner).unwrap().current();
            PlainBlock::read(&bytes).is_some()
        });
        assert!(found.count() > 200);
    }
}
