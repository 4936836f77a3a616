// Lists the samples of MP4 files as other readers see them, one line of JSON a file:
// node readers.mjs mp4box|mediabunny FILE...
import { readFileSync } from 'node:fs';
import { createFile, MP4BoxBuffer } from 'mp4box';
import { ALL_FORMATS, BufferSource, EncodedPacketSink, Input } from 'mediabunny';

// Ticks of the media, decode times from 0, and presentation times before the edit list.
async function mp4box(data) {
    const file = createFile();
    const tracks = [];
    let failure;
    file.onError = (module, message) => { failure = `${module}: ${message}`; };
    file.onReady = info => {
        for (const track of info.tracks) {
            const samples = file.getTrackSamplesInfo(track.id);
            tracks.push({
                kind: track.type,
                codec: track.codec,
                timescale: track.timescale,
                movieTimescale: info.timescale,
                edits: track.edits ?? null,
                samples: samples.map(sample => [sample.dts, sample.cts, sample.size, sample.is_sync]),
            });
        }
    };
    file.appendBuffer(MP4BoxBuffer.fromArrayBuffer(data.buffer, 0));
    file.flush();
    if (failure) throw new Error(failure);
    return tracks;
}

async function mediabunny(data) {
    const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(data) });
    const tracks = [];
    for (const track of await input.getTracks()) {
        const sink = new EncodedPacketSink(track);
        const samples = [];
        for await (const packet of sink.packets(undefined, undefined, { metadataOnly: true })) {
            samples.push([packet.timestamp, packet.byteLength, packet.type === 'key']);
        }
        tracks.push({ kind: track.type, codec: track.codec, samples });
    }
    return tracks;
}

const [reader, ...files] = process.argv.slice(2);
for (const path of files) {
    const buffer = readFileSync(path);
    const data = new Uint8Array(buffer.length);
    data.set(buffer);
    try {
        const tracks = await { mp4box, mediabunny }[reader](data);
        console.log(JSON.stringify({ tracks }));
    } catch (error) {
        console.log(JSON.stringify({ error: String(error) }));
    }
}
