"""Frames from ffmpeg's encoders, and the framings of NAL units."""

import json
import struct
import subprocess
import tempfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from kvs import Frame, Track

# One thread and no version strings, so that the same ffmpeg gives the same bytes.
BIT_EXACT = ["-threads", "1", "-fflags", "+bitexact", "-flags", "+bitexact", "-map_metadata", "-1"]

H264 = "V_MPEG4/ISO/AVC"
H265 = "V_MPEGH/ISO/HEVC"

# nal_unit_type of parameter sets (ISO/IEC 14496-10 table 7-1, 23008-2 table 7-1).
H264_PARAMETER_SETS = {7, 8}
H265_PARAMETER_SETS = {32, 33, 34}


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def ffprobe(path, *arguments):
    command = ["ffprobe", "-v", "error", "-of", "json", *arguments, str(path)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def round_ms(seconds):
    """To the nearest millisecond, a half up."""
    return int(seconds * 1000 + Fraction(1, 2))


def video(codec, size, rate, seconds, gop, bframes=0, quality=28, aud=False, pixel_format="yuv420p", source="testsrc2", filters=""):
    """A track of H.264 or H.265 with length-prefixed frames. `gop` is in frames; every GOP is closed."""
    parameters = {"keyint": gop, "min-keyint": gop, "scenecut": 0, "bframes": bframes, "open-gop": 0, "crf": quality}
    if codec == H264:
        parameters |= {"threads": 1, "sliced-threads": 0, "aud": int(aud), "b-pyramid": "normal", "b-adapt": 0}
        # The SEI of libx264 tells its version and options: 700 bytes that say nothing.
        options = ["-c:v", "libx264", "-preset", "medium", "-bsf:v", "filter_units=remove_types=6"]
        parameter_option = "-x264-params"
    else:
        parameters |= {"pools": "none", "frame-threads": 1, "info": 0, "aud": int(aud), "b-adapt": 0, "log-level": "error"}
        options = ["-c:v", "libx265", "-preset", "fast", "-tag:v", "hvc1"]
        parameter_option = "-x265-params"
    joined = ":".join(f"{name}={value}" for name, value in parameters.items())
    frames = int(Fraction(rate) * seconds)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "video.mp4")
        ffmpeg(
            "-f", "lavfi", "-i", f"{source}=size={size}:rate={rate}{filters}", "-frames:v", frames, "-pix_fmt", pixel_format,
            *options, parameter_option, joined, *BIT_EXACT, path,
        )
        probed = ffprobe(path, "-show_entries", "packet=pts,pos,size,flags:stream=time_base")
        data = path.read_bytes()
    time_base = Fraction(probed["streams"][0]["time_base"])
    packets = probed["packets"]
    first = min(packet["pts"] for packet in packets)
    made = []
    for packet in packets:
        position, length = int(packet["pos"]), int(packet["size"])
        sample = data[position : position + length]
        pts_ms = round_ms((packet["pts"] - first) * time_base)
        made.append(Frame(pts_ms, "K" in packet["flags"], sample, sample))
    private = box_payload(data, b"avcC" if codec == H264 else b"hvcC")
    width, height = map(int, size.split("x"))
    return Track(1, codec, private, tuple(made), pixels=(width, height))


def box_payload(data, fourcc):
    """The payload of the only box of this type, by its header."""
    position = data.index(fourcc)
    (size,) = struct.unpack(">I", data[position - 4 : position])
    return data[position + 4 : position - 4 + size]


def aac(rate, seconds, bitrate="48k", channels=2, tone="sine=frequency=440:beep_factor=4"):
    """A track of raw AAC-LC frames of a tone, the first at 0."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "audio.aac")
        ffmpeg(
            "-f", "lavfi", "-i", f"{tone}:sample_rate={rate}", "-t", seconds,
            "-c:a", "aac", "-ac", channels, "-b:a", bitrate, *BIT_EXACT, "-f", "adts", path,
        )
        frames = list(adts_frames(path.read_bytes()))
    rate_index = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000].index(rate)
    # AudioSpecificConfig (ISO/IEC 14496-3 section 1.6.2.1): object type 2, rate, channels, 1024 samples a frame.
    private = (2 << 11 | rate_index << 7 | channels << 3).to_bytes(2, "big")
    made = tuple(
        Frame(round_ms(Fraction(1024 * index, rate)), True, frame, frame) for index, frame in enumerate(frames)
    )
    return Track(2, "A_AAC", private, made, rate=rate, channels=channels)


def adts_frames(data):
    """The raw frames of an ADTS stream without CRC (ISO/IEC 14496-3 section 1.A.2.2)."""
    while data:
        assert data[0] == 0xFF and data[1] & 0xF7 == 0xF1, "an ADTS header without CRC"
        length = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
        yield data[7:length]
        data = data[length:]


def with_sbr_signalled(track):
    """The same frames as the core of HE-AAC: SBR at twice the rate, signalled backward-compatibly in 5 bytes.

    The frames carry no SBR payload. A decoder then upsamples the core and adds nothing.
    """
    extension_index = {48000: 3, 44100: 4}[2 * track.rate]
    # syncExtensionType 0x2B7, object type 5, sbrPresentFlag, rate (ISO/IEC 14496-3 section 1.6.2.1).
    extension = 0x2B7 << 10 | 5 << 5 | 1 << 4 | extension_index
    return replace(track, codec_private=track.codec_private + (extension << 3).to_bytes(3, "big"))


def g711(law, seconds, rate=8000, block=160):
    """A track of A-law or mu-law in blocks of 20 ms, WAVEFORMATEX as the AWS SDK writes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "audio.raw")
        ffmpeg(
            "-f", "lavfi", "-i", f"sine=frequency=440:beep_factor=4:sample_rate={rate}", "-t", seconds,
            "-c:a", f"pcm_{law}", "-ac", 1, *BIT_EXACT, "-f", law, path,
        )
        data = path.read_bytes()
    tag = {"alaw": 6, "mulaw": 7}[law]
    # Tag, channels, rate, avgBytesPerSec (wrong), blockAlign, bitsPerSample 0, cbSize 0.
    private = struct.pack("<HHIIHHH", tag, 1, rate, rate // 8, 1, 0, 0)
    blocks = [data[start : start + block] for start in range(0, len(data), block)]
    made = tuple(
        Frame(round_ms(Fraction(index * block, rate)), True, payload, payload) for index, payload in enumerate(blocks)
    )
    return Track(2, "A_MS/ACM", private, made, rate=rate, channels=1)


def nals(frame):
    """NAL units behind 4-byte lengths."""
    while frame:
        (length,) = struct.unpack(">I", frame[:4])
        yield frame[4 : 4 + length]
        frame = frame[4 + length :]


def parameter_sets(track):
    """The NAL units in an avcC or hvcC."""
    record, found = track.codec_private, []
    if track.codec_id == H264:
        position = 5
        for mask in (0x1F, 0xFF):
            count, position = record[position] & mask, position + 1
            for _ in range(count):
                nal, position = counted(record, position)
                found.append(nal)
    else:
        position = 23
        for _ in range(record[22]):
            (count,) = struct.unpack(">H", record[position + 1 : position + 3])
            position += 3
            for _ in range(count):
                nal, position = counted(record, position)
                found.append(nal)
    return found


def counted(record, position):
    (length,) = struct.unpack(">H", record[position : position + 2])
    return record[position + 2 : position + 2 + length], position + 2 + length


def nal_type(codec, nal):
    return nal[0] & 0x1F if codec == H264 else nal[0] >> 1 & 0x3F


def annexb(track, annexb_private):
    """The same track as encoders without NAL adaptation send it: start codes, parameter sets before each key frame.

    A start code has 4 bytes where Annex B wants them (first NAL unit of the access unit, parameter sets), else 3. Every
    fifth frame ends with a trailing zero byte. The samples stay as they are: no start code, no parameter set.
    """
    sets = parameter_sets(track)
    set_types = H264_PARAMETER_SETS if track.codec_id == H264 else H265_PARAMETER_SETS
    aud_type = 9 if track.codec_id == H264 else 35
    frames = []
    for index, frame in enumerate(track.frames):
        units = list(nals(frame.block))
        if frame.key:
            after_aud = 1 if nal_type(track.codec_id, units[0]) == aud_type else 0
            units[after_aud:after_aud] = sets
        block = b""
        for nal in units:
            long = not block or nal_type(track.codec_id, nal) in set_types
            block += (b"\0\0\0\1" if long else b"\0\0\1") + nal
        if index % 5 == 4:
            block += b"\0"
        frames.append(replace(frame, block=block))
    private = b"".join(b"\0\0\0\1" + nal for nal in sets) if annexb_private else track.codec_private
    return replace(track, codec_private=private, frames=tuple(frames))


def without_high_tail(track):
    """avcC as the AWS SDK writes it: nothing after the parameter sets."""
    end = 5 + 1 + 1 + sum(2 + len(nal) for nal in parameter_sets(track))
    return replace(track, codec_private=track.codec_private[:end])


def with_zero_reserved_bits(track):
    """avcC as some cameras write it: the reserved bits around lengthSizeMinusOne and the SPS count are 0."""
    record = bytearray(track.codec_private)
    record[4] &= 0x03
    record[5] &= 0x1F
    return replace(track, codec_private=bytes(record))
