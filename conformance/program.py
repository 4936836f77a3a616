"""The program under test: how it is called, and the one place that knows the shape of its report."""

import json
import pathlib

from process import run


class Program:
    """`getclip clip`."""

    def __init__(self, path):
        self.path = pathlib.Path(path).absolute()

    def clip(self, source, output, options=()):
        """From the file `source` into the file `output`, with the report on standard output."""
        return run([self.path, "clip", source, "-o", output, "--report", "json", *options])

    def pipe(self, data, options=()):
        """From standard input to standard output."""
        return run([self.path, "clip", "-", "-o", "-", *options], stdin=data)


def fragments_taken(report):
    """How many fragments the report, as the program printed it, says were taken."""
    return len(json.loads(report)["fragments"])
