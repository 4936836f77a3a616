//! The tags by which the service names a fragment and its times: `AWS_KINESISVIDEO_*`.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind};
use crate::matroska::{Cursor, ids};
use crate::number::FragmentNumber;
use crate::tags::FragmentTags;

const PREFIX: &str = "AWS_KINESISVIDEO_";

impl FragmentTags {
    /// Reads the payload of a Tags element over what is known so far.
    ///
    /// A tag that says that the service stopped is an [`ErrorKind::Service`]. Where a value cannot be read, the others are
    /// read, and the error is that of the first.
    pub(crate) fn read(&mut self, mut tags: Cursor<'_>) -> Result<(), Error> {
        let at = tags.offset();
        let mut service_code = None;
        let mut service_message = None;
        let mut first_error = None;
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
                let read = match name {
                    "FRAGMENT_NUMBER" => read_number(&value).map(|number| self.number = Some(number)),
                    // The second names are those of the documentation of GetMediaForFragmentList.
                    "SERVER_TIMESTAMP" | "SERVER_SIDE_TIMESTAMP" => {
                        value.parse().map(|time| self.server_timestamp = Some(time))
                    }
                    "PRODUCER_TIMESTAMP" | "PRODUCER_SIDE_TIMESTAMP" => {
                        value.parse().map(|time| self.producer_timestamp = Some(time))
                    }
                    "ERROR_CODE" | "EXCEPTION_ERROR_CODE" => {
                        service_code = Some(value);
                        Ok(())
                    }
                    "ERROR_ID" | "EXCEPTION_MESSAGE" => {
                        service_message = Some(value);
                        Ok(())
                    }
                    _ => Ok(()),
                };
                first_error = first_error.or(read.map_err(|error| error.at(value_at)).err());
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
        first_error.map_or(Ok(()), Err)
    }
}

fn read_number(value: &str) -> Result<FragmentNumber, Error> {
    value.parse().map_err(|_| {
        Error::malformed("a fragment number of 1 to 128 digits", format!("{:?}", shorten(value)))
    })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timestamp::Timestamp;

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
    fn tags_after_one_that_cannot_be_read_are_read() {
        let mut tags = FragmentTags::default();
        let bytes = [
            tag("AWS_KINESISVIDEO_FRAGMENT_NUMBER", "12x"),
            tag("AWS_KINESISVIDEO_SERVER_TIMESTAMP", "soon"),
            tag("AWS_KINESISVIDEO_PRODUCER_TIMESTAMP", "1.500"),
        ];
        let error = tags.read(Cursor::new(&bytes.concat(), 0)).unwrap_err();
        assert!(error.to_string().contains("12x"), "{error}");
        assert_eq!(tags.producer_timestamp, Some(Timestamp::from_millis(1500)));
        assert_eq!((tags.number, tags.server_timestamp), (None, None));
    }

    #[test]
    fn a_value_that_is_no_timestamp_is_an_error_with_its_place() {
        let error = read(&[tag("AWS_KINESISVIDEO_SERVER_TIMESTAMP", "soon")]).unwrap_err();
        assert!(error.location().offset.is_some());
        assert_eq!(*error.kind(), ErrorKind::InvalidTimestamp { text: "soon".into() });
    }
}
