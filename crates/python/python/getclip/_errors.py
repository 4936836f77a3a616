"""The exceptions of GetClip, named as botocore names them."""

from __future__ import annotations

from typing import Any


class GetClipError(Exception):
    """The media or the request was refused, as GetClip would have refused it.

    ``str()`` says what was expected, what was found, and where.
    """

    code: str
    """Name of GetClip's exception, such as ``ResourceNotFoundException``."""
    status: int
    """HTTP status that GetClip returns with it."""
    message: str
    """GetClip's own wording where it is known, else the text of this exception."""
    fragment: str | None
    """Fragment number, or ``#3`` for the third fragment of input that has no numbers."""
    track: int | None
    """Matroska track number."""
    offset: int | None
    """Byte offset in the input."""

    def __init__(
        self,
        text: str,
        code: str,
        status: int,
        message: str,
        fragment: str | None = None,
        track: int | None = None,
        offset: int | None = None,
    ) -> None:
        super().__init__(text, code, status, message, fragment, track, offset)
        self.code = code
        self.status = status
        self.message = message
        self.fragment = fragment
        self.track = track
        self.offset = offset

    def __str__(self) -> str:
        return str(self.args[0])

    @property
    def response(self) -> dict[str, Any]:
        """The parts of ``botocore.exceptions.ClientError.response`` that error handlers look at."""
        return {
            "Error": {"Code": self.code, "Message": self.message},
            "ResponseMetadata": {"HTTPStatusCode": self.status},
        }


class InvalidArgumentException(GetClipError, ValueError):
    """The range, or another argument, is not one that is taken. A ``ValueError`` too."""


class ResourceNotFoundException(GetClipError):
    """No fragment starts in the range."""


class UnsupportedStreamMediaTypeException(GetClipError):
    """The codecs are not ones that GetClip takes, or the tracks change inside the clip."""


class MissingCodecPrivateDataException(GetClipError):
    """A track has no codec private data."""


class InvalidCodecPrivateDataException(GetClipError):
    """The codec private data cannot be used, or changes inside the clip."""


class InvalidMediaFrameException(GetClipError):
    """The input is not Matroska, or a frame cannot be parsed by its codec."""


class InternalFailure(GetClipError):
    """The service wrote an error into the stream instead of media."""
