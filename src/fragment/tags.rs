//! The tags by which the service names a fragment and its times: `AWS_KINESISVIDEO_*`.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind};
use crate::matroska::{Cursor, ids};
use crate::tags::FragmentTags;
use crate::timestamp::Timestamp;

const PREFIX: &str = "AWS_KINESISVIDEO_";

impl FragmentTags {
    /// Reads the payload of a Tags element over what is known so far.
    ///
    /// A tag that says that the service stopped is an [`ErrorKind::Service`].
    pub(crate) fn read(&mut self, mut tags: Cursor<'_>) -> Result<(), Error> {
        let at = tags.offset();
        let mut service_code = None;
        let mut service_message = None;
        while let Some((id, mut tag)) = tags.element()? {
            if id != ids::TAG {
                continue;
            }
            while let Some((id, simple_tag)) = tag.element()? {
                if id != ids::SIMPLE_TAG {
                    continue;
                }
                let value_at = simple_tag.offset();
                let (name, value) = read_simple_tag(simple_tag)?;
                let Some(name) = name.strip_prefix(PREFIX) else { continue };
                match name {
                    "FRAGMENT_NUMBER" => {
                        let number = value.parse().map_err(|_| {
                            Error::malformed(
                                "a fragment number of 1 to 128 digits",
                                format!("{:?}", shorten(&value)),
                            )
                            .at(value_at)
                        })?;
                        self.number = Some(number);
                    }
                    // The second names are those of the documentation of GetMediaForFragmentList.
                    "SERVER_TIMESTAMP" | "SERVER_SIDE_TIMESTAMP" => {
                        self.server_timestamp = Some(read_timestamp(&value, value_at)?);
                    }
                    "PRODUCER_TIMESTAMP" | "PRODUCER_SIDE_TIMESTAMP" => {
                        self.producer_timestamp = Some(read_timestamp(&value, value_at)?);
                    }
                    "ERROR_CODE" | "EXCEPTION_ERROR_CODE" => service_code = Some(value),
                    "ERROR_ID" | "EXCEPTION_MESSAGE" => service_message = Some(value),
                    _ => {}
                }
            }
        }
        if (service_code.is_some() || service_message.is_some()) && self.server_timestamp.is_none() {
            let unsaid = || "not given".to_owned();
            return Err(Error::new(ErrorKind::Service {
                code: service_code.map_or_else(unsaid, Cow::into_owned),
                message: service_message.map_or_else(unsaid, Cow::into_owned),
            })
            .at(at));
        }
        Ok(())
    }
}

/// Name and value of a SimpleTag.
fn read_simple_tag<'a>(mut simple_tag: Cursor<'a>) -> Result<(Cow<'a, str>, Cow<'a, str>), Error> {
    let (mut name, mut value) = (Cow::Borrowed(""), Cow::Borrowed(""));
    while let Some((id, payload)) = simple_tag.element()? {
        match id {
            ids::TAG_NAME => name = payload.text(),
            ids::TAG_STRING => value = payload.text(),
            _ => {}
        }
    }
    Ok((name, value))
}

/// The front of a text, for a message.
fn shorten(text: &str) -> String {
    text.chars().take(48).collect()
}

fn read_timestamp(value: &str, at: u64) -> Result<Timestamp, Error> {
    value.parse().map_err(|error: Error| error.at(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(id: &[u8], payload: &[u8]) -> Vec<u8> {
        [id, &[0x40, payload.len() as u8], payload].concat()
    }

    fn tag(name: &str, value: &str) -> Vec<u8> {
        let simple =
            [element(&[0x45, 0xA3], name.as_bytes()), element(&[0x44, 0x87], value.as_bytes())].concat();
        element(&[0x73, 0x73], &element(&[0x67, 0xC8], &simple))
    }

    fn read(tags: &[Vec<u8>]) -> Result<FragmentTags, Error> {
        let mut read = FragmentTags::default();
        read.read(Cursor::new(&tags.concat(), 0))?;
        Ok(read)
    }

    #[test]
    fn identity() {
        let number = "91343852333181432392682062607743920146264094900";
        let tags = read(&[
            tag("AWS_KINESISVIDEO_FRAGMENT_NUMBER", number),
            tag("AWS_KINESISVIDEO_SERVER_TIMESTAMP", "1511852109.126"),
            tag("AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP", "0.000"),
            tag("SOMETHING_ELSE", "x"),
        ])
        .unwrap();
        assert_eq!(tags.number.unwrap().to_string(), number);
        assert_eq!(tags.server_timestamp, Some(Timestamp::from_millis(1_511_852_109_126)));
        assert_eq!(tags.producer_timestamp, Some(Timestamp::from_millis(0)));
    }

    #[test]
    fn tags_behind_the_cluster_are_no_identity() {
        let tags = read(&[
            tag("AWS_KINESISVIDEO_MILLIS_BEHIND_NOW", "0"),
            tag("AWS_KINESISVIDEO_CONTINUATION_TOKEN", "913"),
            tag("AWS_KINESISVIDEO_END_OF_FRAGMENT", ""),
        ]);
        assert!(!tags.unwrap().is_identity());
    }

    #[test]
    fn errors_of_the_service_carry_its_words() {
        let error = read(&[
            tag("AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE", "4008"),
            tag("AWS_KINESISVIDEO_EXCEPTION_MESSAGE", "Unable to decrypt"),
        ])
        .unwrap_err();
        let kind = ErrorKind::Service { code: "4008".into(), message: "Unable to decrypt".into() };
        assert_eq!(*error.kind(), kind);
    }

    #[test]
    fn a_value_that_is_no_timestamp_is_an_error_with_its_place() {
        let error = read(&[tag("AWS_KINESISVIDEO_SERVER_TIMESTAMP", "soon")]).unwrap_err();
        assert!(error.location().offset.is_some());
        assert_eq!(*error.kind(), ErrorKind::InvalidTimestamp { text: "soon".into() });
    }
}
