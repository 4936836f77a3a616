"""The table of clips: which inputs are clipped with which options, and what is known of each beforehand.

Every `testdata/*.mkv` is clipped once with no options unless it has rows here. All that a row leaves out
is read from the input and its manifest (`expectation.py`).
"""

from dataclasses import dataclass, field
from fractions import Fraction


@dataclass(frozen=True)
class Case:
    """One run of the program over one input."""

    #: What the row is about, where an input has several.
    about: str = ""
    options: tuple = ()
    #: Exit status, and what standard error must then say (a regular expression).
    status: int = 0
    says: str = ""
    fragments: int = None
    #: Samples by kind, as counted by somebody else than `matroska.py`.
    samples: dict = field(default_factory=dict)
    #: Four-character codes of the sample entries of the first track.
    entries: tuple = ()
    #: In seconds, to half a second, where it does not follow from the input's times.
    duration: float = None
    #: Whole fragments are moved in time: their frames keep only their distances from each other.
    moved: bool = False
    #: Furthest an audio frame may be from its block's time. Block times are rounded to 1 ms, AAC frames of one run
    #: are whole frame lengths apart, and a run starts at the rounded time of its first block: twice the rounding.
    audio_tolerance_ms: Fraction = Fraction(2)
    #: Handlers of the tracks whose decode times are one run: `stts` has one entry.
    one_run: tuple = ()
    #: Another input of `testdata/` whose clip has the very same video samples.
    same_video_as: str = ""
    #: Names of players that cannot play it.
    not_in: tuple = ()
    # The input ends inside a frame.
    cut: bool = False


SERVICE_REFUSAL = Case(
    "profile service", ("--profile", "service"), status=4, says="UnsupportedStreamMediaTypeException"
)

TESTDATA = {
    # The cadence of the codec holds, not the stamps: 500 frames are 10.667 s long, and are stamped over 10 s.
    "aac_20ms": [Case(audio_tolerance_ms=Fraction(700))],
    "getmedia_twice": [
        Case("gaps kept", duration=791),
        Case("gaps closed", ("--gaps", "close"), duration=10, moved=True),
    ],
    "h264_23976": [Case(one_run=("vide",))],
    "h264_2997": [Case(one_run=("vide",))],
    "h264_aac": [Case(one_run=("vide", "soun"))],
    "h264_aac_44100": [Case(one_run=("vide", "soun"))],
    "h264_annexb": [Case(same_video_as="h264_only")],
    "h264_annexb_private": [Case(same_video_as="h264_only")],
    "h264_bframes": [Case(one_run=("vide",))],
    "h264_mulaw": [Case(), SERVICE_REFUSAL],
    "h264_resolution_change": [
        Case("refused", status=4, says="fragment"),
        # Chromium 156 stops with a decode error where the second sample entry begins.
        Case(
            "new sample entry",
            ("--codec-changes", "new-sample-entry"),
            entries=("avc1", "avc1"),
            not_in=("Chromium",),
        ),
    ],
    "h265_alaw": [Case(entries=("hvc1",)), SERVICE_REFUSAL],
    "h265_annexb": [Case(entries=("hvc1",), same_video_as="h265_aac")],
    "h265_bframes": [Case(one_run=("vide",), entries=("hvc1",))],
}

SAMPLES = {
    "output_get_media": [Case(fragments=5, samples={"video": 300})],
    "kinesis_video_renderer_example_output": [Case(fragments=8, samples={"video": 444})],
    "vogels_480": [Case(fragments=9, samples={"video": 909, "audio": 1425})],
    "aws_h265_alaw.kvs": [Case(fragments=9, samples={"video": 400}, entries=("hvc1",)), SERVICE_REFUSAL],
}


def rows(table, name):
    """The rows of an input."""
    return table.get(name, [Case()])
