//! `ClipPlan`: the clip as ranges of the recording, and the bytes between them.

use getclip::Extent;
use wasm_bindgen::prelude::*;

/// A finished clip whose media is in the recording.
#[wasm_bindgen]
pub struct ClipPlan {
    plan: getclip::ClipPlan,
    /// Where in the recording the media of each fragment of the clip begins.
    offsets: Vec<u64>,
}

impl ClipPlan {
    pub(crate) fn new(plan: getclip::ClipPlan, offsets: Vec<u64>) -> Self {
        Self { plan, offsets }
    }
}

#[wasm_bindgen]
impl ClipPlan {
    /// Size of the MP4 in bytes.
    #[wasm_bindgen(getter)]
    pub fn size(&self) -> f64 {
        self.plan.len() as f64
    }

    /// Its media type.
    #[wasm_bindgen(getter)]
    pub fn content_type(&self) -> String {
        self.plan.content_type().into()
    }

    /// The report, as JSON.
    #[wasm_bindgen(getter)]
    pub fn report(&self) -> Result<String, JsError> {
        Ok(serde_json::to_string(self.plan.report())?)
    }

    /// The lines that the events of the report are shown as.
    #[wasm_bindgen(getter)]
    pub fn event_texts(&self) -> Vec<String> {
        self.plan.report().events.iter().map(ToString::to_string).collect()
    }

    /// What the bytes from `start` to `end` are made of.
    pub fn extents(&self, start: f64, end: f64) -> Extents {
        let mut extents = Extents { ranges: Vec::new(), inline: Vec::new() };
        for extent in self.plan.extents(start as u64..end as u64) {
            match extent {
                Extent::Inline(bytes) => extents.push_inline(&bytes),
                Extent::Media { fragment, range } => {
                    let start = self.offsets.get(fragment).map_or(0, |offset| offset + range.start);
                    extents.ranges.extend([start as f64, (range.end - range.start) as f64]);
                }
            }
        }
        extents
    }
}

/// What a range of the clip is made of. Offsets are doubles, exact up to 8 PiB.
#[wasm_bindgen]
pub struct Extents {
    ranges: Vec<f64>,
    inline: Vec<u8>,
}

impl Extents {
    /// In `ranges`, the place of bytes that are not in the recording.
    const INLINE: f64 = -1.0;

    fn push_inline(&mut self, bytes: &[u8]) {
        self.ranges.extend([Self::INLINE, bytes.len() as f64]);
        self.inline.extend_from_slice(bytes);
    }
}

#[wasm_bindgen]
impl Extents {
    /// For each extent, its place in the recording and its length. The place is -1 for the next bytes of `inline`.
    #[wasm_bindgen(getter)]
    pub fn ranges(&self) -> Vec<f64> {
        self.ranges.clone()
    }

    /// The bytes that are not in the recording, one extent after the other.
    #[wasm_bindgen(getter)]
    pub fn inline(&self) -> Vec<u8> {
        self.inline.clone()
    }
}
