"""What a recording can be: bytes, a file, or something that is read."""

from __future__ import annotations

import mmap
import os
import stat
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeGuard, Union, runtime_checkable

from getclip._getclip import Fragment, Fragments

if TYPE_CHECKING:
    from typing_extensions import Buffer


@runtime_checkable
class Readable(Protocol):
    """A file opened for reading in binary mode, a response body, boto3's ``StreamingBody``."""

    def read(self, size: int, /) -> Buffer: ...


Source: TypeAlias = Union["Buffer", str, os.PathLike[str], Readable]


def fragments(source: Source) -> Fragments:
    """Iterates the fragments of a recording, in its order.

    ``source`` is one of

    * a path. A file is mapped into memory, and must not shrink while its clips are used;
    * an object with a ``read`` method, which is read no further than the fragments that are asked for;
    * a buffer that holds everything. Read-only ones, such as ``bytes``, are borrowed; others are copied.
    """
    if isinstance(source, (str, os.PathLike)):
        return _fragments_of_path(source)
    # A mapped file has a `read` method too, and is used without a copy as the buffer that it is.
    if isinstance(source, Readable) and not isinstance(source, mmap.mmap):
        return Fragments.of_reader(source.read)
    return Fragments.of_buffer(source)


def fragments_of(source: Source | Iterable[Fragment]) -> Iterable[Fragment]:
    """The fragments of a recording, unless ``source`` already yields fragments."""
    if isinstance(source, Fragments):
        return source
    if isinstance(source, (str, os.PathLike, Readable)):
        return fragments(source)
    if _is_buffer(source):
        return fragments(source)
    if isinstance(source, Iterable) and not isinstance(source, dict):
        return source
    message = f"expected a path, a buffer, an object with a read method, or fragments, found {type(source).__name__}"
    raise TypeError(message)


def _is_buffer(source: object) -> TypeGuard[Buffer]:
    try:
        memoryview(source).release()  # type: ignore[arg-type]
    except TypeError:
        return False
    return True


def _fragments_of_path(path: str | os.PathLike[str]) -> Fragments:
    file = open(path, "rb", buffering=0)  # noqa: SIM115
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        # A pipe, which stays open as long as its fragments are read.
        return Fragments.of_reader(file.read)
    with file:
        if status.st_size == 0:
            return Fragments.of_buffer(b"")
        return Fragments.of_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
