//! What file input looks like that does not begin as Matroska does.

use crate::error::{Error, ErrorKind};
use crate::matroska::ebml::hex;
use crate::matroska::ids;

/// Bytes by which other kinds of file are told. An EBML header is longer.
pub(super) const SIGNATURE: usize = 8;

/// Why a document cannot begin with some bytes.
#[derive(Debug)]
pub(super) struct NoDocument {
    pub(super) error: Error,
    /// Whether they are certainly the start of another kind of file.
    pub(super) is_other_file: bool,
}

/// Checks that a document begins with these bytes, as far as there are any.
pub(super) fn check_signature(bytes: &[u8]) -> Result<(), NoDocument> {
    const EBML: [u8; 4] = ids::EBML.to_be_bytes();
    const VOID: u8 = ids::VOID as u8;
    let front = bytes.get(..4).unwrap_or(bytes);
    if EBML.starts_with(front) || front.first() == Some(&VOID) {
        return Ok(());
    }
    let (kind, is_other_file) = match bytes {
        [0xFF, 0xD8, 0xFF, ..] => (" (a JPEG picture)", true),
        [0x89, b'P', b'N', b'G', ..] => (" (a PNG picture)", true),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => (" (an MP4 file)", true),
        [b'R', b'I', b'F', b'F', ..] => (" (a RIFF file: WAV or AVI)", true),
        [b'{', ..] => (" (JSON: an error response of the service?)", true),
        [0, 0, 0, 1, ..] | [0, 0, 1, ..] => (" (an H.264 or H.265 byte stream)", false),
        [0x47, ..] => (" (an MPEG transport stream?)", false),
        _ => ("", false),
    };
    let error = ErrorKind::NotMatroska { found: format!("{}{kind}", hex(front)) }.into();
    Err(NoDocument { error, is_other_file })
}
