"""Who owns the bytes: what is borrowed, what is copied, and for how long."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

import getclip
import pytest


class PyBuffer(ctypes.Structure):
    """``Py_buffer`` of CPython's stable ABI."""

    _fields_ = [
        ("buf", ctypes.c_void_p),
        ("obj", ctypes.py_object),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", ctypes.c_int),
        ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p),
        ("internal", ctypes.c_void_p),
    ]


def address(buffer: bytes | memoryview) -> int:
    view = PyBuffer()
    assert ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(buffer), ctypes.byref(view), 0) == 0
    ctypes.pythonapi.PyBuffer_Release(ctypes.byref(view))
    assert view.buf is not None
    return int(view.buf)


def test_chunks_lie_in_the_recording(recording: Path) -> None:
    data = recording.read_bytes()
    clip = getclip.clip(data)
    begin, end = address(data), address(data) + len(data)
    head, *media = clip.chunks()
    assert not begin <= address(head) < end
    assert media and all(begin <= address(chunk) < end for chunk in media)
    assert b"".join([head, *media]) == bytes(clip)


def test_chunks_are_read_only(recording: Path) -> None:
    for chunk in getclip.clip(recording).chunks():
        assert isinstance(chunk, memoryview) and chunk.readonly
        with pytest.raises(TypeError):
            chunk[0] = 0
        with pytest.raises((BufferError, TypeError)):
            ctypes.c_char.from_buffer(chunk)


def test_chunks_outlive_the_clip(recording: Path) -> None:
    data = recording.read_bytes()
    expected = bytes(getclip.clip(data))
    chunks = list(getclip.clip(recording.read_bytes()).chunks())
    assert b"".join(chunks) == expected


def test_bytes_are_borrowed_and_given_back(recording: Path) -> None:
    data = recording.read_bytes()
    references = sys.getrefcount(data)
    clip = getclip.clip(data)
    assert sys.getrefcount(data) > references
    del clip
    assert sys.getrefcount(data) == references


def test_what_can_change_is_copied(recording: Path) -> None:
    expected = bytes(getclip.clip(recording))
    data = bytearray(recording.read_bytes())
    clips = [getclip.clip(data), getclip.clip(memoryview(data)), getclip.clip(memoryview(data).toreadonly())]
    data[:] = bytes(len(data))
    # A buffer that is still exported would refuse this.
    data.clear()
    assert [bytes(clip) for clip in clips] == [expected] * 3


def test_a_view_of_memory_without_an_owner_is_copied(recording: Path) -> None:
    data = recording.read_bytes()
    memory = ctypes.create_string_buffer(data, len(data))
    from_memory = ctypes.pythonapi.PyMemoryView_FromMemory
    from_memory.restype, from_memory.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int]
    view = from_memory(ctypes.addressof(memory), len(data), 0x100)
    assert view.readonly and view.obj is None
    clip = getclip.clip(view)
    ctypes.memset(memory, 0, len(data))
    assert bytes(clip) == bytes(getclip.clip(data))


def test_a_view_with_gaps_is_copied(recording: Path) -> None:
    data = recording.read_bytes()
    spread = bytes(byte for pair in zip(data, data, strict=True) for byte in pair)
    assert bytes(getclip.clip(memoryview(spread)[::2])) == bytes(getclip.clip(data))


def test_a_view_of_wider_items(recording: Path) -> None:
    data = recording.read_bytes()
    padded = data + bytes([0xEC, 0x80 | (-(len(data) + 2) % 4)]) + bytes(-(len(data) + 2) % 4)
    assert bytes(getclip.clip(memoryview(padded).cast("I"))) == bytes(getclip.clip(data))
