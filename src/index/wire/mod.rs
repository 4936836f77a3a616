//! The binary form of a [`FragmentIndex`]: about 3 bytes a frame.
//!
//! ```text
//! index     magic "gcfi", version, tags, times and sizes, state, damages, tracks, parameter sets, frames
//! number    varint: 7 bits a byte, low bits first, the top bit set on all bytes but the last (LEB128)
//! signed    varint of the zigzag code: 0, -1, 1, -2, ...
//! bytes     varint of their length, then the bytes
//! frames    columns over all frames in the order of the file (see `columns`)
//! ```
//!
//! Every count is checked against the bytes that are left before anything is reserved for it, and every range against
//! the size of the media: what was decoded can be planned without looking back.

mod columns;
mod cursor;
mod damages;
mod faults;
mod line;
mod pictures;
mod shapes;
mod tracks;

use crate::error::{Error, ErrorKind};
use crate::incomplete::{Incomplete, IncompleteElement};
use crate::index::{FragmentIndex, FragmentState};
use crate::tags::FragmentTags;
use crate::timestamp::Timestamp;

use cursor::{Reader, Writer};

const MAGIC: &[u8; 4] = b"gcfi";

impl FragmentIndex {
    /// The version of the binary form that this release writes. It reads this version and all published ones before it.
    pub const VERSION: u8 = 0;

    /// The index as bytes, which [`decode`](Self::decode) reads.
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::default();
        w.raw(MAGIC);
        w.byte(Self::VERSION);
        write_tags(&mut w, &self.tags);
        w.number(self.timestamp_scale_ns.into());
        w.number(self.cluster_timestamp);
        w.number(self.media_len);
        w.number(self.offset);
        w.number(self.position);
        write_state(&mut w, &self.state);
        damages::write(&mut w, &self.damages);
        tracks::write(&mut w, &self.tracks);
        columns::write(&mut w, &self.frames, self.timestamp_scale_ns);
        w.finish()
    }

    /// Reads what [`encode`](Self::encode) wrote.
    ///
    /// # Errors
    /// [`ErrorKind::IndexVersion`] for a version that this release does not know: make the index again from the media.
    /// [`ErrorKind::DamagedIndex`] for bytes that are no index.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let mut r = Reader::new(bytes);
        if r.array()? != *MAGIC {
            return Err(r.damaged("the magic number \"gcfi\"", "other bytes"));
        }
        let version = r.byte()?;
        if version != Self::VERSION {
            return Err(ErrorKind::IndexVersion { found: version, known: Self::VERSION }.into());
        }
        let tags = read_tags(&mut r)?;
        let timestamp_scale_ns = match r.number()? {
            scale @ 1..=1_000_000_000 => scale as u32,
            other => return Err(r.damaged("a TimestampScale of 1 ns to 1 s", other)),
        };
        let cluster_timestamp = r.number()?;
        let media_len = r.number()?;
        let offset = r.number()?;
        let position = r.number()?;
        let state = read_state(&mut r)?;
        let damages = damages::read(&mut r)?;
        let tracks = tracks::read(&mut r)?;
        let frames = columns::read(&mut r, &tracks, timestamp_scale_ns, media_len)?;
        r.end()?;
        Ok(Self {
            tags,
            tracks,
            timestamp_scale_ns,
            cluster_timestamp,
            frames,
            media_len,
            offset,
            position,
            state,
            damages,
        })
    }
}

fn write_tags(w: &mut Writer, tags: &FragmentTags) {
    w.bytes(tags.number.as_ref().map(|number| number.as_str()).unwrap_or_default().as_bytes());
    for time in [tags.server_timestamp, tags.producer_timestamp] {
        w.option(time, |w, time| w.signed(time.as_millis()));
    }
}

fn read_tags(r: &mut Reader<'_>) -> Result<FragmentTags, Error> {
    let number = match r.text()? {
        "" => None,
        text => Some(text.parse().map_err(|_| r.damaged("a fragment number", text))?),
    };
    let server_timestamp = r.option(|r| r.signed().map(Timestamp::from_millis))?;
    let producer_timestamp = r.option(|r| r.signed().map(Timestamp::from_millis))?;
    Ok(FragmentTags { number, server_timestamp, producer_timestamp })
}

/// Code of each element: its place.
const ELEMENTS: [IncompleteElement; 8] = [
    IncompleteElement::Block,
    IncompleteElement::Cluster,
    IncompleteElement::Segment,
    IncompleteElement::Header,
    IncompleteElement::EbmlHeader,
    IncompleteElement::Void,
    IncompleteElement::Other,
    IncompleteElement::Document,
];

fn write_state(w: &mut Writer, state: &FragmentState) {
    match state {
        FragmentState::Whole => w.byte(0),
        FragmentState::Incomplete(incomplete) => {
            w.byte(1);
            w.number(incomplete.offset);
            let code = ELEMENTS.iter().position(|element| *element == incomplete.element);
            w.number(code.unwrap_or_default() as u64);
            w.option(incomplete.missing_bytes, Writer::number);
        }
        FragmentState::PassedOver => w.byte(2),
        FragmentState::Absent => w.byte(3),
    }
}

fn read_state(r: &mut Reader<'_>) -> Result<FragmentState, Error> {
    Ok(match r.byte()? {
        0 => FragmentState::Whole,
        1 => {
            let offset = r.number()?;
            let code = r.number()?;
            let element = usize::try_from(code).ok().and_then(|code| ELEMENTS.get(code)).copied();
            let element = element.ok_or_else(|| r.damaged("the code of an element", code))?;
            let missing_bytes = r.option(Reader::number)?;
            FragmentState::Incomplete(Incomplete { offset, element, missing_bytes })
        }
        2 => FragmentState::PassedOver,
        3 => FragmentState::Absent,
        other => return Err(r.damaged("the state of a fragment", other)),
    })
}
