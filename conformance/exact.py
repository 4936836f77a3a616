"""`clip --exact` in ffmpeg, mpv and Chromium: the first picture is the one at the start, and sound stays with it.

The pictures of the recording show their own number as 8 columns, black or white; a beep begins with one of them.
"""

import pathlib
import re
import struct
import sys
import tempfile

from process import run

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "testdata"))
import encode  # noqa: E402
import kvs  # noqa: E402

RATE, SECONDS, WIDTH, HEIGHT, COLUMNS = 25, 6, 160, 96, 8
NUMBERED = (
    f",geq=lum='if(mod(floor(N/pow(2\\,floor(X/{WIDTH // COLUMNS})))\\,2)\\,235\\,16)':cb=128:cr=128"
)
BASE_MS = 1_700_000_000_000
BEEP_S, SOUND_RATE = 4.0, 48_000
#: ffmpeg's encoder begins with a frame of silence.
ENCODER_DELAY_S = 1024 / SOUND_RATE
#: What is heard, of 1.
LOUD = 0.1
#: Pictures 83 to 136 of 40 ms each. The start is in the middle of a picture, a GOP and a fragment.
START_S, END_S = 3.330, 5.470
FIRST, LAST = 83, 136
CODECS = {"H.264": (encode.H264, 0), "H.264 with B-frames": (encode.H264, 3)}
CODECS |= {"H.265": (encode.H265, 0), "H.265 with B-frames": (encode.H265, 4)}


def recording(codec, bframes):
    """Fragments of 2 s as GetMedia returns them."""
    size = f"{WIDTH}x{HEIGHT}"
    video = encode.video(
        codec, size, str(RATE), SECONDS, gop=2 * RATE, bframes=bframes, quality=18, source="nullsrc", filters=NUMBERED
    )
    beep = f"aevalsrc=exprs='gte(t\\,{BEEP_S})*lt(t\\,{BEEP_S + 0.2})*sin(2*PI*1000*t)'"
    return kvs.get_media(kvs.split([video, encode.aac(SOUND_RATE, SECONDS, tone=beep)], BASE_MS, BASE_MS))


def clip(program, directory, name):
    """The clip of a codec."""
    source = directory / f"exact {name}.mkv"
    output = source.with_suffix(".mp4")
    source.write_bytes(recording(*CODECS[name]))
    times = (f"{BASE_MS / 1000 + second:.3f}" for second in (START_S, END_S))
    ended = program.clip(source, output, ("--exact", "--start", next(times), "--end", next(times)))
    if ended.status != 0:
        raise RuntimeError(ended.stderr.strip())
    return output


def ffmpeg_faults(output):
    """All pictures that ffmpeg shows, by their numbers, and when the beep begins after the first."""
    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-fps_mode", "passthrough", "-"]
    pictures = run(["ffmpeg", "-v", "error", "-nostdin", "-i", output, "-map", "0:v", *raw]).stdout
    size = WIDTH * HEIGHT
    numbers = [number(pictures[at : at + size]) for at in range(0, len(pictures), size)]
    if numbers != list(range(FIRST, LAST + 1)):
        yield f"pictures {numbers}, expected {FIRST} to {LAST}"
    sound = ["-f", "s16le", "-ac", "1", "-ar", SOUND_RATE, "-"]
    yield from beep_faults(run(["ffmpeg", "-v", "error", "-nostdin", "-i", output, "-map", "0:a", *sound]).stdout)


def mpv_faults(output):
    """The first picture that mpv shows, and when the beep begins.

    mpv does not apply edit lists: it decodes what is before the first picture, a tick of 11 microseconds each.
    """
    with tempfile.TemporaryDirectory(prefix="conformance-exact-") as folder:
        status = ["--msg-level=all=no,statusline=status", "--term-status-msg=at=${=time-pos};"]
        ended = run(["mpv", "--no-config", "--no-audio", "--vo=null", "--untimed", *status, output])
        positions = re.findall(r"at=(-?[\d.]+);", ended.stdout.decode("utf-8", "replace") + ended.stderr)
        early = [float(position) for position in positions if float(position) < -0.002]
        if early or not positions:
            yield f"positions {early} before the first picture"
        wave = pathlib.Path(folder, "sound.wav")
        sound = ["--no-video", "--ao=pcm", f"--ao-pcm-file={wave}", "--audio-channels=mono", "--audio-format=s16"]
        run(["mpv", "--no-config", "--really-quiet", *sound, output])
        data = wave.read_bytes()
        yield from beep_faults(data[data.index(b"data") + 8 :])


def chromium_faults(player, output):
    """The first picture that Chromium shows, those after seeks, and the length."""
    answer = player.browser().pictures(output, [0, 0.4, 1.0], (WIDTH, HEIGHT))
    if "error" in answer:
        yield answer["error"]
        return
    wanted = [FIRST, FIRST + 10, FIRST + 25]
    found = [number(bytes(gray)) for gray in answer["pictures"]]
    if found != wanted:
        yield f"pictures {found}, expected {wanted}"
    expected = END_S - FIRST / RATE
    if abs(answer["duration"] - expected) > 0.001:
        yield f"duration {answer['duration']}, expected {expected:.3f}"
    # The flash is the picture that is shown when the beep begins. Sound may be 40 ms early, and 60 ms late (EBU R37).
    answer = player.browser().heard(output, LOUD)
    heard, flash = answer["heard"], BEEP_S + ENCODER_DELAY_S - FIRST / RATE
    if heard is None or not -0.040 < heard - flash < 0.060:
        yield f"the beep is heard at {heard}, expected {flash:.3f}: {answer.get('error')}"


def number(gray):
    """The number that a picture shows."""
    row = gray[HEIGHT // 2 * WIDTH :][:WIDTH]
    step = WIDTH // COLUMNS
    columns = row[step // 2 :: step]
    return sum((value > 128) << bit for bit, value in enumerate(columns))


def beep_faults(samples):
    """When the beep begins after the first picture: to 5 ms, which a listener cannot tell."""
    values = struct.unpack(f"<{len(samples) // 2}h", samples[: len(samples) // 2 * 2])
    first = next((index for index, value in enumerate(values) if abs(value) > LOUD * 32768), None)
    expected = BEEP_S + ENCODER_DELAY_S - FIRST / RATE
    if first is None or abs(first / SOUND_RATE - expected) > 0.005:
        yield f"the beep is at {first and first / SOUND_RATE}, expected {expected:.3f}"
    lasts = END_S - FIRST / RATE
    if abs(len(values) / SOUND_RATE - lasts) > 0.05:
        yield f"sound of {len(values) / SOUND_RATE:.3f} s, expected {lasts:.3f}"
