"""Recordings, and the program whose bytes are the ones to be had."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

TESTDATA = Path(__file__).parents[3] / "testdata"
RECORDINGS = sorted(path.name for path in TESTDATA.glob("*.mkv"))


@pytest.fixture
def recording() -> Path:
    """Five fragments of two seconds, H.264 and AAC, from 2023-11-14T22:13:20Z on."""
    return TESTDATA / "h264_aac.mkv"


@pytest.fixture(scope="session")
def program() -> Callable[..., bytes]:
    """Runs ``getclip clip`` and returns the MP4."""
    executable = os.environ["GETCLIP_PROGRAM"]

    def run(path: Path, *options: str) -> bytes:
        command = [executable, "clip", str(path), "-o", "-", *options]
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE).stdout

    return run
