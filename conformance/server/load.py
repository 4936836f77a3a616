#!/usr/bin/env python3
"""load.py [CAMERAS] [SECONDS] [BIT_PER_SECOND]: many cameras at once, each a stream of its own with a fragment a second.

Prints how long a fragment takes from its last byte to PERSISTED, and what the server needs for it. GETCLIP_SERVER names
the program, GETCLIP_TEST_ARCHIVES where archives are (a folder of the system for temporary files).
"""

import asyncio
import json
import os
import pathlib
import statistics
import sys
import time

from cameras import fragment
from harness import Archive, Server

CAMERAS, SECONDS, RATE = (int(value) for value in (sys.argv[1:] + ["1000", "120", "1000000"][len(sys.argv) - 1 :]))
FRAMES = 25


async def camera(port, name, offset, latencies, failures):
    """Sends its fragments in four parts each, as a camera's pictures come."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"POST /putMedia HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nx-amzn-stream-name: {name}\r\nx-amzn-fragment-timecode-type: ABSOLUTE\r\n"
        "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    )
    sent = {}

    async def acknowledgements():
        async for line in reader:
            if line.startswith(b"{"):
                event = json.loads(line)
                if event["EventType"] == "PERSISTED":
                    latencies.append(time.monotonic() - sent[event["FragmentTimecode"]])
                elif event["EventType"] == "ERROR":
                    failures.append(event)

    listening = asyncio.create_task(acknowledgements())
    first_ms = int(time.time()) * 1000
    start = time.monotonic() + offset
    for second in range(SECONDS):
        timecode = first_ms + 1000 * second
        document = fragment(timecode, FRAMES, RATE // 8 // FRAMES, 1000 // FRAMES)
        quarter = len(document) // 4 + 1
        for i in range(4):
            await asyncio.sleep(max(0, start + second + i / 4 - time.monotonic()))
            part = document[i * quarter : (i + 1) * quarter]
            sent[timecode] = time.monotonic()
            writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            await writer.drain()
    writer.write(b"0\r\n\r\n")
    await listening
    writer.close()


def usage(process):
    """Processor seconds so far, and the largest resident memory in bytes."""
    fields = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    ticks = int(fields[11]) + int(fields[12])
    peak = next(line for line in pathlib.Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return ticks / os.sysconf("SC_CLK_TCK"), int(peak.split()[1]) * 1024


async def run(server):
    latencies, failures = [], []
    await asyncio.gather(*(camera(server.port, f"camera-{i}", i / CAMERAS, latencies, failures) for i in range(CAMERAS)))
    return latencies, failures


def main():
    archive = Archive()
    server = Server(archive)
    client = server.client()
    for i in range(CAMERAS):
        client.create_stream(StreamName=f"camera-{i}", DataRetentionInHours=1)
    before, _ = usage(server.process.pid)
    started = time.monotonic()
    latencies, failures = asyncio.run(run(server))
    elapsed = time.monotonic() - started
    after, peak = usage(server.process.pid)
    server.stop()
    archive.close()
    latencies.sort()
    expected = CAMERAS * SECONDS
    print(f"{CAMERAS} cameras of {RATE / 1e6:g} Mbit/s for {elapsed:.0f} s: {len(latencies)} of {expected} fragments persisted, {len(failures)} errors")
    print(f"last byte to PERSISTED: median {1000 * statistics.median(latencies):.1f} ms, 99th percentile {1000 * latencies[len(latencies) * 99 // 100]:.1f} ms")
    print(f"resident memory at most {peak / 1e6:.0f} MB; {100 * (after - before) / elapsed / CAMERAS:.3f} % of a core a camera")
    return 0 if len(latencies) == expected and not failures else 1


if __name__ == "__main__":
    sys.exit(main())
