//! `Builder`: the options of a clip.

use std::num::{NonZeroU64, NonZeroUsize};

use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, ClipTimestampRange, Limits, RangeStart,
    Timestamp, Trim,
};
use wasm_bindgen::prelude::*;

use crate::failure::thrown;
use crate::planner::Planner;

/// Collects options. `js/index.js` checks their types.
#[wasm_bindgen]
pub struct Builder {
    builder: ClipBuilder,
    limits: Limits,
    cover: bool,
    exact: bool,
}

#[wasm_bindgen]
impl Builder {
    /// A builder for the fragments that start from `start` to `end`, in milliseconds since 1970, by a clock.
    #[wasm_bindgen(constructor)]
    pub fn new(by: &str, start: Option<f64>, end: Option<f64>) -> Result<Builder, JsValue> {
        let selector = selector(by.parse().map_err(thrown)?, start, end)?;
        Ok(Self {
            builder: ClipBuilder::new(selector),
            limits: Limits::default(),
            cover: false,
            exact: false,
        })
    }

    /// Sets an option that is one of several words: those that it has everywhere, in the program too.
    pub fn choose(&mut self, name: &str, word: &str) -> Result<(), JsValue> {
        let builder = self.builder.clone();
        self.builder = match name {
            "videoTrack" => builder.video_track(word.parse().map_err(thrown)?),
            "audioTrack" => builder.audio_track(word.parse().map_err(thrown)?),
            "profile" => builder.profile(word.parse().map_err(thrown)?),
            "codecChanges" => builder.codec_changes(word.parse().map_err(thrown)?),
            "gaps" => builder.gaps(word.parse().map_err(thrown)?),
            "incompleteInput" => builder.incomplete_input(word.parse().map_err(thrown)?),
            "missingCodecPrivate" => builder.missing_codec_private(word.parse().map_err(thrown)?),
            _ => return Err(unknown(name)),
        };
        Ok(())
    }

    /// Sets an option that is on or off.
    pub fn turn(&mut self, name: &str, on: bool) -> Result<(), JsValue> {
        match name {
            "cover" => self.cover = on,
            "exact" => self.exact = on,
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// Sets a limit: a whole number from 1 on, or infinity.
    pub fn limit(&mut self, name: &str, limit: f64) -> Result<(), JsValue> {
        let is_limit = limit >= 1.0 && (limit.fract() == 0.0 || limit.is_infinite());
        // The cast of a float saturates.
        let (Some(number), true) = (NonZeroU64::new(limit as u64), is_limit) else {
            let error = JsError::new(&format!(
                "{name}: expected a whole number from 1 on, or Infinity, found {limit}"
            ));
            return Err(error.into());
        };
        self.limits = match name {
            "maxFragments" => self.limits.with_max_fragments(number.try_into().unwrap_or(NonZeroUsize::MAX)),
            "maxBytes" => self.limits.with_max_bytes(number),
            _ => return Err(unknown(name)),
        };
        Ok(())
    }

    /// Sets when the recording started, in milliseconds since 1970.
    pub fn recording_start(&mut self, millis: f64) {
        self.builder = self.builder.clone().recording_start(Timestamp::from_millis(millis.floor() as i64));
    }

    /// Reads RFC 3339 or Unix seconds, and returns milliseconds since 1970.
    pub fn time(text: &str) -> Result<f64, JsValue> {
        let time: Timestamp = text.parse().map_err(thrown)?;
        Ok(time.as_millis() as f64)
    }

    /// The planner of clips with these options.
    pub fn planner(&self) -> Planner {
        let range_start =
            if self.cover || self.exact { RangeStart::Covering } else { RangeStart::FirstInRange };
        let trim = if self.exact { Trim::ToRange } else { Trim::WholeFragments };
        let builder = self.builder.clone().limits(self.limits).range_start(range_start).trim(trim);
        Planner::new(builder.planner())
    }
}

fn selector(
    clock: ClipFragmentSelectorType,
    start: Option<f64>,
    end: Option<f64>,
) -> Result<ClipFragmentSelector, JsValue> {
    if start.is_none() && end.is_none() {
        return Ok(ClipFragmentSelector::all(clock));
    }
    // Rounded inwards, so that nothing outside the range is taken.
    let start = start.map_or(i64::MIN, |millis| millis.ceil() as i64);
    let end = end.map_or(i64::MAX, |millis| millis.floor() as i64);
    let range = ClipTimestampRange::unlimited(Timestamp::from_millis(start), Timestamp::from_millis(end));
    let range = range.map_err(thrown)?;
    Ok(match clock {
        ClipFragmentSelectorType::ProducerTimestamp => ClipFragmentSelector::producer(range),
        ClipFragmentSelectorType::ServerTimestamp => ClipFragmentSelector::server(range),
    })
}

fn unknown(name: &str) -> JsValue {
    JsError::new(&format!("unknown option {name}")).into()
}
