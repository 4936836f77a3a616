//! Element IDs of RFC 8794 and RFC 9559, and which element can stand inside which.

use std::borrow::Cow;

/// An element ID with its length marker, as RFC 9559 prints it.
pub(crate) type ElementId = u32;

pub(crate) const EBML: ElementId = 0x1A45_DFA3;
pub(crate) const VOID: ElementId = 0xEC;
pub(crate) const CRC_32: ElementId = 0xBF;
pub(crate) const EBML_VERSION: ElementId = 0x4286;
pub(crate) const EBML_READ_VERSION: ElementId = 0x42F7;
pub(crate) const EBML_MAX_ID_LENGTH: ElementId = 0x42F2;
pub(crate) const EBML_MAX_SIZE_LENGTH: ElementId = 0x42F3;
pub(crate) const DOC_TYPE: ElementId = 0x4282;
pub(crate) const DOC_TYPE_VERSION: ElementId = 0x4287;
pub(crate) const DOC_TYPE_READ_VERSION: ElementId = 0x4285;

pub(crate) const SEGMENT: ElementId = 0x1853_8067;
pub(crate) const SEEK_HEAD: ElementId = 0x114D_9B74;
pub(crate) const INFO: ElementId = 0x1549_A966;
pub(crate) const TRACKS: ElementId = 0x1654_AE6B;
pub(crate) const CLUSTER: ElementId = 0x1F43_B675;
pub(crate) const CUES: ElementId = 0x1C53_BB6B;
pub(crate) const ATTACHMENTS: ElementId = 0x1941_A469;
pub(crate) const CHAPTERS: ElementId = 0x1043_A770;
pub(crate) const TAGS: ElementId = 0x1254_C367;

pub(crate) const TIMESTAMP_SCALE: ElementId = 0x2A_D7B1;
pub(crate) const DURATION: ElementId = 0x4489;
pub(crate) const DATE_UTC: ElementId = 0x4461;
pub(crate) const TITLE: ElementId = 0x7BA9;
pub(crate) const MUXING_APP: ElementId = 0x4D80;
pub(crate) const WRITING_APP: ElementId = 0x5741;
pub(crate) const SEGMENT_UUID: ElementId = 0x73A4;

pub(crate) const TIMESTAMP: ElementId = 0xE7;
pub(crate) const POSITION: ElementId = 0xA7;
pub(crate) const PREV_SIZE: ElementId = 0xAB;
pub(crate) const SILENT_TRACKS: ElementId = 0x5854;
pub(crate) const SIMPLE_BLOCK: ElementId = 0xA3;
pub(crate) const BLOCK_GROUP: ElementId = 0xA0;
pub(crate) const BLOCK: ElementId = 0xA1;
pub(crate) const BLOCK_DURATION: ElementId = 0x9B;
pub(crate) const REFERENCE_BLOCK: ElementId = 0xFB;
pub(crate) const ENCRYPTED_BLOCK: ElementId = 0xAF;

pub(crate) const TRACK_ENTRY: ElementId = 0xAE;
pub(crate) const TRACK_NUMBER: ElementId = 0xD7;
pub(crate) const TRACK_TYPE: ElementId = 0x83;
pub(crate) const CODEC_ID: ElementId = 0x86;
pub(crate) const CODEC_PRIVATE: ElementId = 0x63A2;
pub(crate) const DEFAULT_DURATION: ElementId = 0x23_E383;
pub(crate) const CODEC_DELAY: ElementId = 0x56AA;
pub(crate) const TRACK_TIMESTAMP_SCALE: ElementId = 0x23_314F;
pub(crate) const VIDEO: ElementId = 0xE0;
pub(crate) const PIXEL_WIDTH: ElementId = 0xB0;
pub(crate) const PIXEL_HEIGHT: ElementId = 0xBA;
pub(crate) const AUDIO: ElementId = 0xE1;
pub(crate) const SAMPLING_FREQUENCY: ElementId = 0xB5;
pub(crate) const CHANNELS: ElementId = 0x9F;
pub(crate) const CONTENT_ENCODINGS: ElementId = 0x6D80;
pub(crate) const CONTENT_ENCODING: ElementId = 0x6240;
pub(crate) const CONTENT_ENCODING_SCOPE: ElementId = 0x5032;
pub(crate) const CONTENT_ENCODING_TYPE: ElementId = 0x5033;
pub(crate) const CONTENT_COMPRESSION: ElementId = 0x5034;
pub(crate) const CONTENT_COMP_ALGO: ElementId = 0x4254;
pub(crate) const CONTENT_COMP_SETTINGS: ElementId = 0x4255;

pub(crate) const TAG: ElementId = 0x7373;
pub(crate) const TARGETS: ElementId = 0x63C0;
pub(crate) const SIMPLE_TAG: ElementId = 0x67C8;
pub(crate) const TAG_NAME: ElementId = 0x45A3;
pub(crate) const TAG_STRING: ElementId = 0x4487;

/// Whether the element is a child of Segment (or its document's EBML header, or the next Segment): the elements
/// that end a Cluster of unknown size (RFC 8794 section 6.2).
pub(crate) const fn ends_cluster(id: ElementId) -> bool {
    matches!(id, EBML | SEGMENT | SEEK_HEAD | INFO | TRACKS | CLUSTER | CUES | ATTACHMENTS | CHAPTERS | TAGS)
}

/// Whether the element is one of RFC 9559's children of a Cluster, or of the global ones of RFC 8794.
pub(crate) const fn is_child_of_cluster(id: ElementId) -> bool {
    matches!(
        id,
        TIMESTAMP
            | POSITION
            | PREV_SIZE
            | SILENT_TRACKS
            | SIMPLE_BLOCK
            | BLOCK_GROUP
            | ENCRYPTED_BLOCK
            | VOID
            | CRC_32
    )
}

/// Whether the element is one of RFC 9559's children of a Segment, or of the global ones of RFC 8794.
pub(crate) const fn is_child_of_segment(id: ElementId) -> bool {
    matches!(id, VOID | CRC_32) || (ends_cluster(id) && !matches!(id, EBML | SEGMENT))
}

/// Name of an element for a message: RFC 9559's where it is one that is read here, else its ID.
pub(crate) fn name(id: ElementId) -> Cow<'static, str> {
    Cow::Borrowed(match id {
        EBML => "the EBML header",
        VOID => "Void",
        CRC_32 => "CRC-32",
        SEGMENT => "Segment",
        SEEK_HEAD => "SeekHead",
        INFO => "Info",
        TRACKS => "Tracks",
        CLUSTER => "Cluster",
        CUES => "Cues",
        ATTACHMENTS => "Attachments",
        CHAPTERS => "Chapters",
        TAGS => "Tags",
        TIMESTAMP_SCALE => "TimestampScale",
        TIMESTAMP => "Timestamp",
        POSITION => "Position",
        PREV_SIZE => "PrevSize",
        SILENT_TRACKS => "SilentTracks",
        SIMPLE_BLOCK => "SimpleBlock",
        BLOCK_GROUP => "BlockGroup",
        BLOCK => "Block",
        BLOCK_DURATION => "BlockDuration",
        REFERENCE_BLOCK => "ReferenceBlock",
        ENCRYPTED_BLOCK => "EncryptedBlock",
        TRACK_ENTRY => "TrackEntry",
        TRACK_NUMBER => "TrackNumber",
        TRACK_TYPE => "TrackType",
        CODEC_ID => "CodecID",
        CODEC_PRIVATE => "CodecPrivate",
        DEFAULT_DURATION => "DefaultDuration",
        VIDEO => "Video",
        PIXEL_WIDTH => "PixelWidth",
        PIXEL_HEIGHT => "PixelHeight",
        AUDIO => "Audio",
        SAMPLING_FREQUENCY => "SamplingFrequency",
        CHANNELS => "Channels",
        CONTENT_ENCODINGS => "ContentEncodings",
        CONTENT_ENCODING => "ContentEncoding",
        CONTENT_ENCODING_SCOPE => "ContentEncodingScope",
        CONTENT_ENCODING_TYPE => "ContentEncodingType",
        CONTENT_COMPRESSION => "ContentCompression",
        CONTENT_COMP_ALGO => "ContentCompAlgo",
        CONTENT_COMP_SETTINGS => "ContentCompSettings",
        TAG => "Tag",
        TARGETS => "Targets",
        SIMPLE_TAG => "SimpleTag",
        TAG_NAME => "TagName",
        TAG_STRING => "TagString",
        _ => return Cow::Owned(format!("element {id:X}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(name(CLUSTER), "Cluster");
        assert_eq!(name(0x4286), "element 4286");
    }
}
