//! `Planner`: the bytes of a recording in, a plan out. No media is kept.

use getclip::FragmentReader;
use wasm_bindgen::prelude::*;

use crate::failure::thrown;
use crate::plan::ClipPlan;

/// Indexes a recording and plans the clip.
#[wasm_bindgen]
pub struct Planner {
    reader: FragmentReader,
    /// Until the clip is planned.
    planner: Option<getclip::Planner>,
    /// Where in the recording the media of each fragment begins, in the order of the recording.
    offsets: Vec<u64>,
}

impl Planner {
    pub(crate) fn new(planner: getclip::Planner) -> Self {
        Self { reader: FragmentReader::indexing(), planner: Some(planner), offsets: Vec::new() }
    }

    fn offer_all(&mut self) -> Result<(), JsValue> {
        while let Some(fragment) = self.reader.next_fragment() {
            let (index, _) = fragment.map_err(thrown)?.into_parts();
            self.offsets.push(index.offset());
            self.planner.as_mut().ok_or_else(finished)?.offer(index).map_err(thrown)?;
        }
        Ok(())
    }
}

#[wasm_bindgen]
impl Planner {
    /// Reads the next bytes of the recording.
    pub fn push(&mut self, bytes: Vec<u8>) -> Result<(), JsValue> {
        self.reader.push(bytes.into());
        self.offer_all()
    }

    /// Plans the clip of what was read.
    pub fn finish(&mut self) -> Result<ClipPlan, JsValue> {
        self.reader.finish();
        self.offer_all()?;
        let plan = self.planner.take().ok_or_else(finished)?.finish().map_err(thrown)?;
        let offsets = plan.fragments().iter().filter_map(|&place| self.offsets.get(place).copied()).collect();
        Ok(ClipPlan::new(plan, offsets))
    }
}

fn finished() -> JsValue {
    JsError::new("the clip is planned already").into()
}
