"""What becomes of a video frame on its way into the clip, by the simplest code that says it.

NAL units get 4-byte lengths; parameter sets that the codec private data already holds go; empty NAL units go.
H.264 is ISO/IEC 14496-10 and 14496-15 section 5.3.3, H.265 is ISO/IEC 23008-2 and 14496-15 section 8.3.3.
"""

AVC_CODECS = ("V_MPEG4/ISO/AVC", "V_MPEG/ISO/AVC")
HEVC_CODEC = "V_MPEGH/ISO/HEVC"
START_CODE = b"\0\0\1"


def samples(frames):
    """The output samples of `frames`, a list of (track entry, payload) in decode order.

    If one parameter set of any frame differs from its codec private data, all parameter sets stay.
    """
    split = [(entry, nal_units(entry, payload)) for entry, payload in frames]
    known = {}
    for entry, _ in split:
        if entry.private not in known:
            known[entry.private] = set(parameter_sets(entry))
    keep = any(
        is_parameter_set(entry.codec, unit) and unit not in known[entry.private]
        for entry, units in split
        for unit in units
    )
    return [
        b"".join(
            len(unit).to_bytes(4, "big") + unit
            for unit in units
            if keep or not is_parameter_set(entry.codec, unit)
        )
        for entry, units in split
    ]


def nal_units(entry, payload):
    """The NAL units of one frame, empty ones dropped: by length if the lengths end where the frame ends, else Annex B."""
    units = _by_length(payload, length_size(entry))
    if units is None:
        units = by_start_code(payload)
    return [unit for unit in units if unit]


def by_start_code(data):
    """The NAL units of an Annex B byte stream. A NAL unit never ends in a zero byte: what follows it is padding."""
    return [unit.rstrip(b"\0") for unit in data.split(START_CODE)[1:]]


def parameter_sets(entry):
    """The parameter sets of the codec private data: avcC, hvcC or Annex B."""
    private = entry.private
    if private.startswith((START_CODE, b"\0" + START_CODE)):
        return [unit for unit in by_start_code(private) if unit]
    return list(_of_hvcc(private)) if entry.codec == HEVC_CODEC else list(_of_avcc(private))


def length_size(entry):
    """lengthSizeMinusOne of the codec private data, plus one."""
    if entry.private.startswith((START_CODE, b"\0" + START_CODE)) or not entry.private:
        return 4
    return 1 + (entry.private[21 if entry.codec == HEVC_CODEC else 4] & 3)


def is_parameter_set(codec, unit):
    """H.264: SPS 7, PPS 8. H.265: VPS 32, SPS 33, PPS 34."""
    if codec == HEVC_CODEC:
        return unit[0] >> 1 & 0x3F in (32, 33, 34)
    return unit[0] & 0x1F in (7, 8)


def is_delimiter(codec, unit):
    """Access unit delimiter: H.264 type 9, H.265 type 35."""
    return unit[0] >> 1 & 0x3F == 35 if codec == HEVC_CODEC else unit[0] & 0x1F == 9


def elementary_stream(frames):
    """`frames` as an Annex B stream for a decoder, with the parameter sets of each codec private data in front."""
    stream, current = bytearray(), None
    for entry, payload in frames:
        units = nal_units(entry, payload)
        if entry.private != current:
            current = entry.private
            # An access unit delimiter is the first NAL unit of its access unit.
            after = 1 if units and is_delimiter(entry.codec, units[0]) else 0
            units[after:after] = parameter_sets(entry)
        for unit in units:
            stream += b"\0" + START_CODE + unit
    return bytes(stream)


def _by_length(payload, size):
    units, position = [], 0
    while position < len(payload):
        length = int.from_bytes(payload[position : position + size], "big")
        position += size
        if position + length > len(payload):
            return None
        units.append(payload[position : position + length])
        position += length
    return units


def _of_avcc(private):
    """AVCDecoderConfigurationRecord, ISO/IEC 14496-15 section 5.3.3.1.2. Reserved bits may be zero: they are masked."""
    position = 5
    for mask in (0x1F, 0xFF):
        count = private[position] & mask
        position += 1
        for _ in range(count):
            length = int.from_bytes(private[position : position + 2], "big")
            yield private[position + 2 : position + 2 + length]
            position += 2 + length


def _of_hvcc(private):
    """HEVCDecoderConfigurationRecord, ISO/IEC 14496-15 section 8.3.3.1.2."""
    position = 23
    for _ in range(private[22]):
        count = int.from_bytes(private[position + 1 : position + 3], "big")
        position += 3
        for _ in range(count):
            length = int.from_bytes(private[position : position + 2], "big")
            yield private[position + 2 : position + 2 + length]
            position += 2 + length
