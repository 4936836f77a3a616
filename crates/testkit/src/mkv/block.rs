//! SimpleBlock and BlockGroup (RFC 9559 section 10) with every lacing, from a plain description.

use crate::ebml::{self, Size, id};
use crate::media;

/// Lacing of a block, RFC 9559 section 10.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lacing {
    /// No lacing: one frame.
    #[default]
    None,
    /// Sizes as runs of 255, section 10.3.2.
    Xiph,
    /// Sizes as variable-size integers and differences, section 10.3.3.
    Ebml,
    /// All frames have the same size.
    Fixed,
}

/// Which element carries the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockForm {
    /// SimpleBlock, with a key flag.
    SimpleBlock,
    /// BlockGroup with a Block; without `key` it has a ReferenceBlock.
    BlockGroup {
        /// BlockDuration, in ticks of the TimestampScale.
        duration: Option<u64>,
    },
}

/// One block with one or more frames.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Matroska track number.
    pub track: u64,
    /// Ticks of the TimestampScale after the Cluster timestamp.
    pub time: i16,
    /// Key flag of a SimpleBlock; a BlockGroup with it has no ReferenceBlock.
    pub key: bool,
    /// The frames whole: header stripping is applied by the writer.
    pub frames: Vec<Vec<u8>>,
    /// How several frames are told apart.
    pub lacing: Lacing,
    /// The element that carries the block.
    pub form: BlockForm,
    /// Size field of the SimpleBlock, BlockGroup and Block. The AWS SDK writes 8 bytes.
    pub size: Size,
    /// Elements written as they are in front of this block, such as a Void.
    pub before: Vec<u8>,
}

impl Default for Block {
    fn default() -> Self {
        Self {
            track: 1,
            time: 0,
            key: false,
            frames: Vec::new(),
            lacing: Lacing::None,
            form: BlockForm::SimpleBlock,
            size: Size::Width(8),
            before: Vec::new(),
        }
    }
}

impl Block {
    /// A SimpleBlock of one frame.
    pub fn new(track: u64, time: i16, key: bool, frame: impl Into<Vec<u8>>) -> Self {
        Self { track, time, key, frames: vec![frame.into()], ..Self::default() }
    }

    /// A SimpleBlock of several frames.
    pub fn laced(track: u64, time: i16, lacing: Lacing, frames: Vec<Vec<u8>>) -> Self {
        Self { track, time, lacing, frames, ..Self::default() }
    }

    /// Makes it a BlockGroup.
    pub fn group(mut self, duration: Option<u64>) -> Self {
        self.form = BlockForm::BlockGroup { duration };
        self
    }

    /// Sets the form of the size fields.
    pub fn size(mut self, size: Size) -> Self {
        self.size = size;
        self
    }

    /// Sets the elements before this block.
    pub fn before(mut self, elements: Vec<u8>) -> Self {
        self.before = elements;
        self
    }

    /// The element. `stripped_header` is what header stripping takes off the front of each frame.
    pub fn to_bytes(&self, stripped_header: &[u8]) -> Vec<u8> {
        let frames: Vec<&[u8]> = self
            .frames
            .iter()
            .map(|frame| {
                frame.strip_prefix(stripped_header).expect("every frame begins with the stripped header")
            })
            .collect();
        let mut bytes = self.before.clone();
        match self.form {
            BlockForm::SimpleBlock => {
                let key_flag = if self.key { 0x80 } else { 0 };
                bytes.extend(ebml::sized_element(
                    id::SIMPLE_BLOCK,
                    self.size,
                    &self.payload(key_flag, &frames),
                ));
            }
            BlockForm::BlockGroup { duration } => {
                let mut children = ebml::sized_element(id::BLOCK, self.size, &self.payload(0, &frames));
                children.extend(duration.iter().flat_map(|ticks| ebml::uint(id::BLOCK_DURATION, *ticks)));
                if !self.key {
                    children.extend(ebml::sint(id::REFERENCE_BLOCK, -1));
                }
                bytes.extend(ebml::sized_element(id::BLOCK_GROUP, self.size, &children));
            }
        }
        bytes
    }

    /// Track number, time, flags, lace sizes, frames.
    fn payload(&self, key_flag: u8, frames: &[&[u8]]) -> Vec<u8> {
        let mut bytes = ebml::shortest_vint(self.track);
        bytes.extend(self.time.to_be_bytes());
        bytes.push(
            key_flag
                | match self.lacing {
                    Lacing::None => 0x00,
                    Lacing::Xiph => 0x02,
                    Lacing::Fixed => 0x04,
                    Lacing::Ebml => 0x06,
                },
        );
        let sizes: Vec<usize> = frames.iter().map(|frame| frame.len()).collect();
        match self.lacing {
            Lacing::None => assert!(frames.len() <= 1, "several frames need a lacing"),
            _ => bytes.push(
                u8::try_from(frames.len().checked_sub(1).expect("a lace has a frame")).expect("256 frames"),
            ),
        }
        match self.lacing {
            Lacing::None => {}
            Lacing::Xiph => bytes.extend(xiph_sizes(&sizes)),
            Lacing::Ebml => bytes.extend(ebml_sizes(&sizes)),
            Lacing::Fixed => {
                assert!(sizes.windows(2).all(|pair| pair[0] == pair[1]), "fixed lacing: one size")
            }
        }
        bytes.extend(frames.concat());
        bytes
    }
}

/// All sizes but the last, each as bytes of 255 and a rest (RFC 9559 section 10.3.2).
fn xiph_sizes(sizes: &[usize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for size in &sizes[..sizes.len() - 1] {
        bytes.extend(vec![255; size / 255]);
        bytes.push((size % 255) as u8);
    }
    bytes
}

/// All sizes but the last: the first as a VINT, then signed differences (RFC 9559 section 10.3.3).
fn ebml_sizes(sizes: &[usize]) -> Vec<u8> {
    let sizes = &sizes[..sizes.len() - 1];
    let mut bytes = sizes.first().map(|first| ebml::shortest_vint(*first as u64)).unwrap_or_default();
    for pair in sizes.windows(2) {
        let difference = pair[1] as i64 - pair[0] as i64;
        // A difference of width w is stored with 2^(7w-1) - 1 added.
        let width = (1..=8).find(|w| difference.abs() < 1 << (7 * w - 1)).expect("a lace below 2^55 bytes");
        let stored = difference + (1 << (7 * width - 1)) - 1;
        let marked = stored as u64 | 1 << (7 * width);
        bytes.extend(&marked.to_be_bytes()[8 - width..]);
    }
    bytes
}

/// H.264 frames at these times, the first a key frame. Sizes and bytes differ, and depend on `seed` alone.
pub fn avc_blocks(seed: u64, times: impl IntoIterator<Item = i16>) -> Vec<Block> {
    let block = |(index, time): (usize, i16)| {
        let (seed, key) = (seed * 1000 + index as u64, index == 0);
        let length = if key { 120 } else { 40 } + index % 13;
        Block::new(1, time, key, media::avc_frame(seed, length, key))
    };
    times.into_iter().enumerate().map(block).collect()
}

/// AAC frames at these times.
pub fn aac_blocks(seed: u64, times: impl IntoIterator<Item = i16>) -> Vec<Block> {
    let block = |(index, time): (usize, i16)| {
        Block::new(2, time, true, media::aac_frame(seed * 1000 + index as u64, 12 + index % 5))
    };
    times.into_iter().enumerate().map(block).collect()
}

/// G.711 blocks of `length` bytes at these times.
pub fn g711_blocks(seed: u64, length: usize, times: impl IntoIterator<Item = i16>) -> Vec<Block> {
    let block = |(index, time): (usize, i16)| {
        Block::new(2, time, true, media::g711_block(seed * 1000 + index as u64, length))
    };
    times.into_iter().enumerate().map(block).collect()
}
