"""What a clip must hold, frame by frame, as known before the program has run.

Twice where a manifest lies beside the input: once from the encoder's side (`NAME.frames.tsv`, written with the
input), once from the input's bytes (`matroska.py`). Both must say the same.
"""

import hashlib
from dataclasses import dataclass
from fractions import Fraction

import matroska
import nal


@dataclass(frozen=True)
class Frame:
    """One expected sample. Equal frames are equal in all that the manifest states."""

    track: int
    #: Place of the fragment in the input, from 0.
    fragment: int
    time_ms: Fraction
    #: Every audio frame is one: the flag of audio blocks means nothing.
    key: bool
    size: int
    #: The first 16 hex digits of the sample's SHA-256.
    sha256: str


@dataclass
class Expectation:
    """The frames of one clip, and what the checks need to know of its source."""

    #: Fragments taken.
    fragments: int
    #: Track entry of the video and of the audio track, or None.
    video: matroska.TrackEntry
    audio: matroska.TrackEntry
    #: Track number to frames in decode order, fragments in the clip's order.
    frames: dict
    #: Track number to the blocks' payloads, in the same order, each with its track entry.
    payloads: dict

    @property
    def start_ms(self):
        """The earliest presentation time of all tracks: the clip's zero."""
        return min(frame.time_ms for frames in self.frames.values() for frame in frames)

    @property
    def end_ms(self):
        """The latest presentation time of all tracks. The last frame lasts a little longer."""
        return max(frame.time_ms for frames in self.frames.values() for frame in frames)


def of_input(data):
    """The expectation from the input's bytes."""
    found = matroska.fragments(data)
    place = {id(fragment): index for index, fragment in enumerate(found)}
    taken = [fragment for fragment in matroska.in_clip_order(found) if fragment.blocks]
    entries = taken[0].tracks
    video = _first(entries, matroska.VIDEO)
    audio = _first(entries, matroska.AUDIO)
    frames, payloads = {}, {}
    for entry in filter(None, (video, audio)):
        blocks = [
            (fragment, block)
            for fragment in taken
            for block in fragment.blocks
            if block.track == entry.number
        ]
        sources = [(fragment.tracks[entry.number], block.payload) for fragment, block in blocks]
        outputs = nal.samples(sources) if entry is video else [payload for _, payload in sources]
        payloads[entry.number] = sources
        frames[entry.number] = [
            Frame(
                entry.number,
                place[id(fragment)],
                Fraction(fragment.time_ns(block), 1_000_000),
                block.key or entry is audio,
                len(sample),
                short_hash(sample),
            )
            for (fragment, block), sample in zip(blocks, outputs)
        ]
    return Expectation(len(taken), video, audio, frames, payloads)


def of_manifest(path):
    """The frames of `NAME.frames.tsv`: track, fragment, time in ms, key, size, hash; `#` starts a comment."""
    frames = {}
    for line in path.read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        track, fragment, time, key, size, sha256 = line.split("\t")
        frame = Frame(int(track), int(fragment), Fraction(time), key != "0", int(size), sha256)
        frames.setdefault(frame.track, []).append(frame)
    return frames


def manifest_faults(wanted, manifest):
    """Where the manifest and the walk of the input differ. The manifest lists the fragments in input order."""
    for track in sorted(wanted.frames.keys() | manifest.keys()):
        walked = sorted(wanted.frames.get(track, []), key=lambda frame: frame.fragment)
        stated = manifest.get(track, [])
        if len(walked) != len(stated):
            yield f"track {track}: {len(stated)} frames in the manifest, {len(walked)} in the input"
        for at, (ours, theirs) in enumerate(zip(walked, stated)):
            if ours != theirs:
                yield f"track {track} frame {at}: {theirs} in the manifest, {ours} in the input"
                break


def short_hash(sample):
    """The form in which the manifests state hashes."""
    return hashlib.sha256(sample).hexdigest()[:16]


def _first(entries, kind):
    return next((entries[number] for number in sorted(entries) if entries[number].type == kind), None)
