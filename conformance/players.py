"""Players, each run headless to the end of a clip: mpv, GStreamer, VLC and Chromium.

A player is a name, a version and `faults(clip, showing)`. One that is not installed has no version.
"""

import bisect
import os
import pathlib
import random
import re
import shutil
import tempfile
from dataclasses import dataclass

import chromium
from process import run

#: Playback this many times faster than the clock; more is refused by Chromium (16) and VLC (31.25).
CHROMIUM_RATE = 16
VLC_RATE = 30
#: Chromium mutes above 4, so a short clip with audio is played slower, and its audio is really rendered.
CHROMIUM_AUDIBLE_RATE = 4
AUDIBLE_SECONDS = 20
#: A clip may be an hour of gap: this many seeks say enough.
MAX_SEEKS = 60


@dataclass
class Showing:
    """What a player should show. Times are seconds from the clip's start."""

    duration: float
    #: Presentation times of the pictures, ascending; empty without video.
    pictures: list
    #: How long a picture usually lasts.
    step: float
    #: Presentation times of the pictures at which decoding can begin.
    random_access: list
    audio: bool
    h265: bool

    def seeks(self):
        """The whole seconds at which the picture differs from that of the second before."""
        seconds, shown = [], None
        for second in range(int(self.duration)):
            if self.picture_at(second) != shown:
                shown = self.picture_at(second)
                seconds.append(second)
        return seconds[:MAX_SEEKS]

    def random_access_seeks(self):
        """The random access points, in an order that goes back and forth and is always the same."""
        points = [second for second in self.random_access if second >= 0]
        random.Random(len(points)).shuffle(points)
        return points[:MAX_SEEKS]

    def picture_at(self, second):
        """The presentation time of the picture that is on the screen at `second`."""
        return self.pictures[max(0, bisect.bisect_right(self.pictures, second + 1e-6) - 1)]

    def wrong_duration(self, duration):
        """Whether a player's idea of the duration is more than a frame, or a tenth of a second, off."""
        return abs(duration - self.duration) > max(self.step, 0.1)


class Mpv:
    """mpv without a window or a sound card, as fast as it decodes."""

    name = "mpv"

    def version(self):
        return _version("mpv", ["mpv", "--version"], r"mpv \S+")

    def faults(self, clip, showing):
        quiet = "--msg-level=all=warn,cplayer=info,statusline=status"
        command = [
            "mpv",
            "--no-config",
            "--vo=null",
            "--ao=null",
            "--ao-null-untimed=yes",
            "--untimed",
            quiet,
        ]
        command += ["--term-status-msg=at=${=time-pos} of=${=duration};", clip]
        ended = run(command)
        output = ended.stdout.decode("utf-8", "replace") + ended.stderr
        if ended.status != 0 or "Exiting... (End of file)" not in output:
            yield f"exits with {ended.status}, not at the end of the file"
        if complaints := re.findall(r"^\[(?!K).*\] .*$", output, re.MULTILINE):
            yield complaints[0]
        positions = re.findall(r"at=([\d.]+) of=([\d.]+);", output)
        last, duration = map(float, positions[-1]) if positions else (0.0, 0.0)
        if showing.wrong_duration(duration):
            yield f"duration {duration:.3f}, expected {showing.duration:.3f}"
        # The position is that of the picture, where there is one; audio may go on after it.
        end = showing.pictures[-1] if showing.pictures else showing.duration
        if last < end - max(3 * showing.step, 0.25):
            yield f"last position {last:.3f}, expected {end:.3f}"


class GStreamer:
    """playbin into sinks that print time and checksum of each buffer: every decoded picture is counted."""

    name = "GStreamer"

    def version(self):
        return _version("gst-launch-1.0", ["gst-launch-1.0", "--version"], r"GStreamer \S+")

    def faults(self, clip, showing):
        # The lines of the two sinks mix; the length of the checksum tells them apart.
        command = ["gst-launch-1.0", "playbin", f"uri={pathlib.Path(clip).absolute().as_uri()}"]
        command += [
            "video-sink=checksumsink sync=false hash=sha1",
            "audio-sink=checksumsink sync=false hash=md5",
        ]
        ended = run(command)
        output = ended.stdout.decode("utf-8", "replace") + ended.stderr
        if ended.status != 0 or "Got EOS" not in output:
            yield f"exits with {ended.status}: {_line_with('ERROR', output)}"
        if "WARNING" in output:
            yield _line_with("WARNING", output)
        pictures = re.findall(r"^([\d:.]+) [0-9a-f]{40}$", output, re.MULTILINE)
        buffers = re.findall(r"^([\d:.]+) [0-9a-f]{32}$", output, re.MULTILINE)
        if len(pictures) != len(showing.pictures):
            yield f"{len(pictures)} pictures, expected {len(showing.pictures)}"
        if bool(buffers) != showing.audio:
            yield f"{len(buffers)} audio buffers, {'' if showing.audio else 'no '}audio expected"
        last = max(map(_clock, pictures + buffers), default=0.0)
        if last < showing.duration - max(2 * showing.step, 0.2):
            yield f"the last buffer is at {last:.3f} of {showing.duration:.3f} s"
        yield from self._discovered(clip, showing)

    def _discovered(self, clip, showing):
        if not shutil.which("gst-discoverer-1.0"):
            return
        output = run(["gst-discoverer-1.0", clip]).stdout.decode("utf-8", "replace")
        duration = re.search(r"Duration: ([\d:.]+)", output)
        if not duration or showing.wrong_duration(_clock(duration[1])):
            yield f"gst-discoverer: {duration and duration[0]}, expected {showing.duration:.3f}"


class Vlc:
    """VLC with its dummy outputs. It refuses to run as root, so root runs it as nobody."""

    name = "VLC"

    def version(self):
        return _version("cvlc", [*self._user(tempfile.gettempdir()), "cvlc", "--version"], r"VLC version \S+")

    def faults(self, clip, showing):
        with tempfile.TemporaryDirectory(prefix="conformance-vlc-") as home:
            os.chmod(home, 0o777)
            outputs = ["-I", "dummy", "--vout", "dummy", "--aout", "dummy", "--no-color", "-vv"]
            command = [*self._user(home), "cvlc", *outputs, "--rate", VLC_RATE, "--play-and-exit", clip]
            ended = run(command)
        output = ended.stdout.decode("utf-8", "replace") + ended.stderr
        if ended.status != 0 or "EOF reached" not in output:
            yield f"exits with {ended.status}, not at the end of the file"
        # The interface has no session bus to speak to: its complaints are not about the clip.
        if complaints := re.findall(
            r"^\[\w+\] (?!.*(?:interface|libvlc) error)(.* error: .*)$", output, re.MULTILINE
        ):
            yield complaints[0]
        lengths = [int(length) for length in re.findall(r"samples length:(\d+)s", output)]
        if abs(max(lengths, default=0) - showing.duration) > 1.1:
            yield f"track lengths {lengths} s, expected {showing.duration:.3f}"
        if ended.seconds < 0.9 * showing.duration / VLC_RATE:
            yield f"played {showing.duration:.3f} s in {ended.seconds:.3f} s at rate {VLC_RATE}"

    @staticmethod
    def _user(home):
        return (
            ["runuser", "-u", "nobody", "--", "env", f"HOME={home}"]
            if os.geteuid() == 0
            else ["env", f"HOME={home}"]
        )


class Chromium:
    """Chromium's <video>: plays to `ended`, seeks to each second and to each random access point, decodes the audio."""

    name = "Chromium"

    def version(self):
        if not shutil.which("chromedriver"):
            return None
        return _version("chromium", ["chromium", "--version"], r"Chromium [\d.]+")

    def __init__(self):
        self._browser = None

    def close(self):
        """Ends the browser. The next clip starts another."""
        if self._browser:
            self._browser.close()
            self._browser = None

    def browser(self):
        """The browser, which is started for the first clip."""
        self._browser = self._browser or chromium.Browser()
        return self._browser

    def faults(self, clip, showing):
        if showing.h265 and not showing.audio:
            return  # Debian's Chromium has no H.265 decoder: there is nothing in the clip for it to play.
        audible = showing.audio and showing.duration <= AUDIBLE_SECONDS
        pictures = bool(showing.pictures) and not showing.h265
        seconds = showing.seeks() + showing.random_access_seeks() if pictures else []
        rate = CHROMIUM_AUDIBLE_RATE if audible else CHROMIUM_RATE
        try:
            seen = self.browser().play(clip, rate, seconds, showing.audio)
        except Exception:
            self.close()
            raise
        if "error" in seen:
            yield seen["error"]
        duration = seen.get("duration") or 0
        if showing.wrong_duration(duration):
            yield f"duration {duration:.3f}, expected {showing.duration:.3f}"
        if showing.wrong_duration(seen.get("ended") or 0):
            yield f"ended at {seen.get('ended')}, expected {showing.duration:.3f}"
        if pictures and not seen.get("presented"):
            yield "no picture was presented"
        if showing.audio and not (seen.get("audioBytes") and seen.get("audioRms")):
            yield f"audio: {seen.get('audioBytes')} bytes decoded, RMS {seen.get('audioRms')}"
        for second, picture in seen.get("seeks", []):
            if picture is None or abs(picture - showing.picture_at(second)) > showing.step + 0.001:
                yield f"at {second} s the picture of {picture} s, expected that of {showing.picture_at(second):.3f} s"
                break


ALL = (Mpv, GStreamer, Vlc, Chromium)


def _version(program, command, pattern):
    """The version as the program prints it, or None where it is not installed."""
    if not shutil.which(program):
        return None
    found = re.search(pattern, run(command).stdout.decode("utf-8", "replace"))
    return found[0] if found else f"{program}, version not told"


def _clock(text):
    """Hours:minutes:seconds with decimals, in seconds."""
    hours, minutes, seconds = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def _line_with(word, output):
    return next((line for line in output.splitlines() if word in line), f"no {word} line")
