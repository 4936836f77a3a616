//! PutMedia: fragments in, acknowledgements out, at the same time.

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use getclip::Timestamp;
use http::header::HeaderMap;
use http::{Response, StatusCode};
use tokio::sync::{OwnedSemaphorePermit, mpsc};

use crate::http::{State, now, with_type};
use crate::ingest::{Session, TimecodeType};
use crate::model::{Arn, Exception, ServiceError, StreamName, StreamReference};

/// Lines that wait for a producer that does not read them. Then nothing more is read of it.
const WAITING_LINES: usize = 16;

/// More seconds than this are milliseconds: a producer of that kind exists.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

impl State {
    /// The response begins at once; the session goes on as long as the request's body.
    pub(crate) async fn put_media(
        &self,
        reference: &StreamReference,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Response<Body>, ServiceError> {
        let timecodes = timecode_type(headers)?;
        let permit = self.producer_permit()?;
        let stream = self.stream(reference).await?;
        let numbering = self.archive.numbering(&stream).await?;
        let (acknowledgements, lines) = mpsc::channel(WAITING_LINES);
        let session = Session {
            archive: self.archive.clone(),
            stream,
            numbering,
            timecodes,
            limits: self.settings.limits.ingest.clone(),
            memory: self.ingest_memory(),
            recent: self.recent_fragments(),
            closing: self.closing(),
            acknowledgements,
        };
        tokio::spawn(session.run(body));
        let lines = stream::unfold(Lines { lines, _permit: permit }, |mut lines| async move {
            let line = lines.lines.recv().await?;
            Some((Ok::<_, std::convert::Infallible>(line), lines))
        });
        Ok(with_type(StatusCode::OK, "application/json", Body::from_stream(lines)))
    }
}

/// The acknowledgements of a session, which is under way as long as they are.
struct Lines {
    lines: mpsc::Receiver<Bytes>,
    _permit: OwnedSemaphorePermit,
}

/// `x-amzn-stream-name` or `x-amzn-stream-arn`.
pub(crate) fn stream_of(headers: &HeaderMap) -> Result<StreamReference, ServiceError> {
    let name = text(headers, "x-amzn-stream-name")?;
    let arn = text(headers, "x-amzn-stream-arn")?;
    match (name, arn) {
        (Some(name), None) => Ok(StreamReference::by_name(StreamName::parse("x-amzn-stream-name", name)?)),
        (None, Some(arn)) => Ok(StreamReference::by_arn(Arn::parse("x-amzn-stream-arn", arn)?)),
        _ => Err(ServiceError::invalid_argument(
            "One of the headers x-amzn-stream-name and x-amzn-stream-arn is required",
        )),
    }
}

/// `x-amzn-fragment-timecode-type`, and for `RELATIVE` `x-amzn-producer-start-timestamp`: without it, now.
fn timecode_type(headers: &HeaderMap) -> Result<TimecodeType, ServiceError> {
    let name = "x-amzn-fragment-timecode-type";
    match text(headers, name)?.as_deref() {
        None => Err(ServiceError::invalid_argument(format!("The header {name} is required"))),
        Some("ABSOLUTE") => Ok(TimecodeType::Absolute),
        Some("RELATIVE") => Ok(TimecodeType::Relative { start: start(headers)?.unwrap_or_else(now) }),
        Some(other) => Err(ServiceError::constraint(name, "ABSOLUTE or RELATIVE", format!("{other:?}"))),
    }
}

/// Seconds with decimals, as many as the producer writes; or milliseconds.
fn start(headers: &HeaderMap) -> Result<Option<Timestamp>, ServiceError> {
    let name = "x-amzn-producer-start-timestamp";
    let Some(text) = text(headers, name)? else { return Ok(None) };
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let millis = decimals.get(..3).unwrap_or(decimals);
    let time: Timestamp = match millis {
        "" => whole.parse(),
        _ => format!("{whole}.{millis}").parse(),
    }
    .map_err(|_| ServiceError::constraint(name, "Unix seconds", format!("{text:?}")))?;
    let seconds = time.as_millis() / 1000;
    Ok(Some(if seconds >= MILLISECONDS_FROM { Timestamp::from_millis(seconds) } else { time }))
}

fn text(headers: &HeaderMap, name: &str) -> Result<Option<String>, ServiceError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let text = value.to_str().map_err(|_| {
        ServiceError::new(Exception::InvalidArgument, format!("{name}: expected ASCII characters"))
    })?;
    Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn start_timestamps_as_producers_spell_them() {
        for (text, millis) in [
            ("1511852109.126", 1_511_852_109_126),
            ("1511852109", 1_511_852_109_000),
            ("1511852109.5", 1_511_852_109_500),
            ("1511852109.126456", 1_511_852_109_126),
            ("1511852109126", 1_511_852_109_126),
            ("0", 0),
        ] {
            let headers = headers(&[("x-amzn-producer-start-timestamp", text)]);
            assert_eq!(start(&headers).unwrap(), Some(Timestamp::from_millis(millis)), "{text}");
        }
        assert!(start(&headers(&[("x-amzn-producer-start-timestamp", "yesterday")])).is_err());
    }

    #[test]
    fn timecode_types() {
        let of = |pairs: &[(&'static str, &'static str)]| timecode_type(&headers(pairs));
        let name = "x-amzn-fragment-timecode-type";
        assert_eq!(
            of(&[(name, "ABSOLUTE"), ("x-amzn-producer-start-timestamp", "x")]),
            Ok(TimecodeType::Absolute)
        );
        let start = Timestamp::from_millis(7000);
        let relative = of(&[(name, "RELATIVE"), ("x-amzn-producer-start-timestamp", "7")]);
        assert_eq!(relative, Ok(TimecodeType::Relative { start }));
        assert!(matches!(of(&[(name, "RELATIVE")]), Ok(TimecodeType::Relative { .. })));
        assert!(of(&[(name, "absolute")]).is_err() && of(&[]).is_err());
    }

    #[test]
    fn a_stream_by_one_header() {
        let arn = "arn:aws:kinesisvideo:us-west-2:123456789012:stream/door/17";
        assert_eq!(stream_of(&headers(&[("x-amzn-stream-name", "door")])).unwrap().created_ms(), None);
        assert_eq!(stream_of(&headers(&[("x-amzn-stream-arn", arn)])).unwrap().created_ms(), Some(17));
        assert!(stream_of(&headers(&[("x-amzn-stream-name", "door"), ("x-amzn-stream-arn", arn)])).is_err());
        assert!(stream_of(&headers(&[])).is_err());
        assert!(stream_of(&headers(&[("x-amzn-stream-name", "a/b")])).is_err());
    }
}
