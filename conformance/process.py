"""Running another program: its output, its exit status, and how long it took."""

import subprocess
import time
from dataclasses import dataclass


@dataclass
class Ended:
    """A program that has ended. `status` is None if it was stopped because its time was over."""

    status: int
    stdout: bytes
    stderr: str
    seconds: float


def run(command, timeout=120, stdin=None, environment=None):
    """Runs `command` to its end, or for `timeout` seconds. `stdin` is bytes, or nothing."""
    started = time.monotonic()
    source = {"input": stdin} if stdin is not None else {"stdin": subprocess.DEVNULL}
    try:
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, timeout=timeout, env=environment, **source
        )
        status, stdout, stderr = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        status, stdout, stderr = None, late.stdout or b"", late.stderr or b""
    return Ended(status, stdout, stderr.decode("utf-8", "replace"), time.monotonic() - started)
