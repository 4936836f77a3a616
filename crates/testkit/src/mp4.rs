//! Reader of a finished progressive MP4, written from ISO/IEC 14496-12 alone. It panics on anything inconsistent: it is an
//! oracle for tests, and not for untrusted files.

use crate::boxes::{BoxView, FourCc, boxes};
use crate::sample_groups::SampleGroup;
use crate::sample_table::{ChunkView, SampleSizes, SampleTable};

const NANOSECONDS: i128 = 1_000_000_000;

/// The presentation: `moov` with everything it points at.
#[derive(Debug, Clone)]
pub struct Movie<'a> {
    /// Ticks per second of the movie.
    pub timescale: u32,
    /// In the movie timescale.
    pub duration: u64,
    /// Seconds since 1904-01-01, UTC.
    pub creation_time: u64,
    /// In file order.
    pub tracks: Vec<TrackView<'a>>,
}

/// One `trak`.
#[derive(Debug, Clone)]
pub struct TrackView<'a> {
    /// `track_ID` of `tkhd`.
    pub id: u32,
    /// `vide` or `soun`.
    pub handler: FourCc,
    /// Ticks per second of the media.
    pub timescale: u32,
    /// `mdhd` duration, in the media timescale.
    pub media_duration: u64,
    /// `tkhd` duration, in the movie timescale.
    pub track_duration: u64,
    /// Width and height of `tkhd`, whole pixels.
    pub dimensions: (u32, u32),
    /// Matrix of `tkhd`: a, b, u, c, d, v, x, y, w as stored, section 8.3.2.
    pub matrix: [i32; 9],
    /// Empty without an edit list.
    pub edits: Vec<Edit>,
    /// The sample entries of `stsd`.
    pub entries: Vec<SampleEntry<'a>>,
    /// In decode order. Empty for PCM with one byte a channel, which has [`TrackView::pcm_bytes`].
    pub samples: Vec<SampleView<'a>>,
    /// The tables of `stbl`.
    pub table: SampleTable,
    /// The sample groups of `stbl`.
    pub groups: Vec<SampleGroup>,
    movie_timescale: u32,
    file: &'a [u8],
}

/// One entry of an `elst` (section 8.6.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit {
    /// In the movie timescale.
    pub duration: u64,
    /// In the media timescale; -1 is an empty edit.
    pub media_time: i64,
}

/// One entry of an `stsd`.
#[derive(Debug, Clone)]
pub struct SampleEntry<'a> {
    /// Type of the entry, such as `avc1`.
    pub fourcc: FourCc,
    /// The whole entry after its box header.
    pub payload: &'a [u8],
    /// The entry as a box: `entry.view.child("avcC")`.
    pub view: BoxView<'a>,
}

/// One sample.
#[derive(Debug, Clone)]
pub struct SampleView<'a> {
    /// From the start of the file.
    pub offset: usize,
    /// In the media timescale, from 0.
    pub dts: u64,
    /// Composition time less decode time, in the media timescale.
    pub cts_offset: i64,
    /// In the media timescale.
    pub duration: u32,
    /// Whether `stss` lists the sample, or is absent.
    pub sync: bool,
    /// One-based, as stored.
    pub description_index: u32,
    /// The sample.
    pub bytes: &'a [u8],
}

impl<'a> Movie<'a> {
    /// Reads the file and checks it against itself.
    pub fn parse(file: &'a [u8]) -> Self {
        let top = boxes(file, 0..file.len());
        let position = |fourcc: &str| {
            let found: Vec<usize> = (0..top.len()).filter(|index| top[*index].fourcc == fourcc).collect();
            assert_eq!(found.len(), 1, "{fourcc} boxes at the top level");
            found[0]
        };
        assert_eq!(position("ftyp"), 0, "place of ftyp");
        let (moov, mdat) = (position("moov"), position("mdat"));
        assert!(moov < mdat, "mdat stands before moov");

        let mvhd = top[moov].expect("mvhd");
        let (version, _, mut fields) = mvhd.full_box();
        let creation_time = fields.versioned(version);
        fields.versioned(version); // modification_time
        let timescale = fields.u32();
        let duration = fields.versioned(version);
        fields.take(4 + 2 + 2 + 8 + 36 + 24);
        let next_track_id = fields.u32();
        fields.end();
        assert!(timescale > 0, "{mvhd}: timescale 0");

        let tracks: Vec<_> = top[moov]
            .children()
            .iter()
            .filter(|child| child.fourcc == "trak")
            .map(|trak| TrackView::parse(file, trak, timescale))
            .collect();

        let longest = tracks.iter().map(|track| track.track_duration).max().unwrap_or(0);
        assert_eq!(duration, longest, "mvhd duration and the longest track (section 8.2.2.3)");
        let mut ids: Vec<u32> = tracks.iter().map(|track| track.id).collect();
        ids.sort_unstable();
        assert!(ids.is_sorted_by(|a, b| a < b) && ids.first() != Some(&0), "track_ID {ids:?}");
        assert!(
            ids.last().is_none_or(|last| *last < next_track_id),
            "next_track_ID {next_track_id} after {ids:?}"
        );

        check_chunks(&tracks, &top[mdat]);
        Self { timescale, duration, creation_time, tracks }
    }

    /// The only track with this handler, `vide` or `soun`.
    pub fn track(&self, handler: &str) -> &TrackView<'a> {
        let mut found = self.tracks.iter().filter(|track| track.handler == handler);
        let track = found.next().unwrap_or_else(|| panic!("no {handler} track"));
        assert!(found.next().is_none(), "more than one {handler} track");
        track
    }

    /// The only video track.
    pub fn video(&self) -> &TrackView<'a> {
        self.track("vide")
    }

    /// The only audio track.
    pub fn audio(&self) -> &TrackView<'a> {
        self.track("soun")
    }

    /// Length of the presentation in nanoseconds.
    pub fn duration_ns(&self) -> i128 {
        i128::from(self.duration) * NANOSECONDS / i128::from(self.timescale)
    }
}

/// Chunks lie in the `mdat` and share no byte.
fn check_chunks(tracks: &[TrackView<'_>], mdat: &BoxView<'_>) {
    let media = mdat.payload_range();
    let mut chunks: Vec<(usize, usize, u32)> = tracks
        .iter()
        .flat_map(|track| track.table.chunks.iter().map(|chunk| (chunk.offset, chunk.size, track.id)))
        .collect();
    chunks.sort_unstable();
    for (offset, size, id) in &chunks {
        assert!(
            media.start <= *offset && offset + size <= media.end,
            "track {id}: chunk of {size} bytes at byte {offset}, outside of mdat {media:?}"
        );
    }
    for pair in chunks.windows(2) {
        assert!(pair[0].0 + pair[0].1 <= pair[1].0, "chunks overlap: (offset, size, track) {pair:?}");
    }
}

impl<'a> TrackView<'a> {
    fn parse(file: &'a [u8], trak: &BoxView<'a>, movie_timescale: u32) -> Self {
        let tkhd = trak.expect("tkhd");
        let (version, _, mut fields) = tkhd.full_box();
        fields.versioned(version); // creation_time
        fields.versioned(version); // modification_time
        let id = fields.u32();
        fields.u32();
        let track_duration = fields.versioned(version);
        fields.take(8 + 2 + 2 + 2 + 2);
        let matrix = std::array::from_fn(|_| fields.i32());
        let dimensions = (fields.u32() >> 16, fields.u32() >> 16);
        fields.end();

        let mdia = trak.expect("mdia");
        let mdhd = mdia.expect("mdhd");
        let (version, _, mut fields) = mdhd.full_box();
        fields.versioned(version);
        fields.versioned(version);
        let timescale = fields.u32();
        let media_duration = fields.versioned(version);
        fields.take(4); // language, pre_defined
        fields.end();
        assert!(timescale > 0, "{mdhd}: timescale 0");

        let (_, _, mut fields) = mdia.expect("hdlr").full_box();
        fields.u32();
        let handler = FourCc(fields.take(4).try_into().unwrap());

        let minf = mdia.expect("minf");
        match &handler.0 {
            b"vide" => _ = minf.expect("vmhd"),
            b"soun" => _ = minf.expect("smhd"),
            _ => panic!("{mdia}: handler {handler:?}"),
        }
        // Media data is in this file: one data reference with the self-contained flag (section 8.7.2).
        let dref = minf.expect("dinf").expect("dref");
        let references: Vec<u32> = dref.children().iter().map(|reference| reference.full_box().1).collect();
        assert_eq!(references, [1], "{dref}: flags of its entries");

        let stbl = minf.expect("stbl");
        let stsd = stbl.expect("stsd");
        let entries: Vec<_> = stsd
            .children()
            .into_iter()
            .map(|view| SampleEntry { fourcc: view.fourcc, payload: view.payload(), view })
            .collect();
        let (_, _, mut fields) = stsd.full_box();
        assert_eq!(fields.u32() as usize, entries.len(), "{stsd}: entry_count");
        for entry in &entries {
            assert_eq!(entry.payload[..8], [0, 0, 0, 0, 0, 0, 0, 1], "{}: data_reference_index", entry.view);
        }

        let table = SampleTable::parse(&stbl, entries.len());
        assert_eq!(table.duration(), media_duration, "track {id}: sum of stts, and mdhd duration");

        let mut track = Self {
            id,
            handler,
            timescale,
            media_duration,
            track_duration,
            dimensions,
            matrix,
            edits: edit_list(trak),
            entries,
            samples: Vec::new(),
            groups: SampleGroup::all(&stbl, table.sizes.count()),
            table,
            movie_timescale,
            file,
        };
        if !track.is_pcm() {
            track.samples = track.read_samples();
        }
        track.check_durations();
        track
    }

    /// The entry of the sample group of this type that a sample is in, such as the distance of `roll`.
    pub fn group_of(&self, grouping_type: &str, sample: usize) -> Option<&[u8]> {
        let group = self.groups.iter().find(|group| group.grouping_type == grouping_type)?;
        group.of_samples[sample].map(|entry| group.entries[entry].as_slice())
    }

    /// Places of the samples that `stss` lists, counted from 0; of all samples without it.
    pub fn sync_samples(&self) -> Vec<usize> {
        (0..self.samples.len()).filter(|sample| self.samples[*sample].sync).collect()
    }

    /// G.711 with one sample per PCM frame.
    pub fn is_pcm(&self) -> bool {
        let pcm = |entry: &SampleEntry<'_>| entry.fourcc == "alaw" || entry.fourcc == "ulaw";
        self.entries.iter().all(pcm) && matches!(self.table.sizes, SampleSizes::Constant { .. })
    }

    /// The chunks of the track, in file order.
    pub fn chunks(&self) -> &[ChunkView] {
        &self.table.chunks
    }

    /// When a sample is presented, in nanoseconds from the start of the movie; `None` if no edit shows it.
    pub fn time_of(&self, sample: &SampleView<'_>) -> Option<i128> {
        self.presented(i128::from(sample.dts) + i128::from(sample.cts_offset))
    }

    /// All bytes of a PCM track.
    pub fn pcm_bytes(&self) -> Vec<u8> {
        self.table
            .chunks
            .iter()
            .flat_map(|chunk| &self.file[chunk.offset..chunk.offset + chunk.size])
            .copied()
            .collect()
    }

    /// Bytes per PCM frame: one for each channel.
    pub fn pcm_frame_size(&self) -> usize {
        self.table.sizes.get(0)
    }

    /// When a PCM frame is presented, in nanoseconds from the start of the movie; `None` if no edit shows it.
    pub fn pcm_time_of(&self, frame: usize) -> Option<i128> {
        self.presented(self.table.decode_time(frame).into())
    }

    /// A media time on the movie's timeline through the edit list (section 8.6.6), in nanoseconds.
    fn presented(&self, media_time: i128) -> Option<i128> {
        let media_ns = |time: i128| time * NANOSECONDS / i128::from(self.timescale);
        if self.edits.is_empty() {
            return Some(media_ns(media_time));
        }
        let movie_ns = |time: u64| i128::from(time) * NANOSECONDS / i128::from(self.movie_timescale);
        let mut movie_time = 0;
        for edit in &self.edits {
            if edit.media_time >= 0 {
                let into = media_ns(media_time - i128::from(edit.media_time));
                if media_time >= edit.media_time.into() && into < movie_ns(edit.duration) {
                    return Some(movie_ns(movie_time) + into);
                }
            }
            movie_time += edit.duration;
        }
        None
    }

    fn read_samples(&self) -> Vec<SampleView<'a>> {
        let table = &self.table;
        let mut deltas =
            table.time_to_sample.iter().flat_map(|run| std::iter::repeat_n(run.1, run.0 as usize));
        let mut offsets =
            table.composition_offsets.iter().flat_map(|run| std::iter::repeat_n(run.1, run.0 as usize));
        let mut samples: Vec<SampleView<'a>> = Vec::with_capacity(table.sizes.count());
        let mut dts = 0;
        for chunk in &table.chunks {
            let mut offset = chunk.offset;
            for index in chunk.first_sample..chunk.first_sample + chunk.samples {
                let size = table.sizes.get(index);
                let duration = deltas.next().unwrap();
                let bytes = self.file.get(offset..offset + size);
                samples.push(SampleView {
                    offset,
                    dts,
                    cts_offset: offsets.next().unwrap_or(0),
                    duration,
                    sync: table
                        .sync_samples
                        .as_ref()
                        .is_none_or(|numbers| numbers.binary_search(&(index as u32 + 1)).is_ok()),
                    description_index: chunk.description_index,
                    bytes: bytes
                        .unwrap_or_else(|| panic!("track {}: sample {index} ends past the file", self.id)),
                });
                offset += size;
                dts += u64::from(duration);
            }
        }
        samples
    }

    /// `tkhd` is the sum of the edits, or the media without any (section 8.3.2.3), and no edit reaches past the media.
    fn check_durations(&self) {
        let id = self.id;
        let (movie, media) = (i128::from(self.movie_timescale), i128::from(self.timescale));
        if self.edits.is_empty() {
            let difference =
                i128::from(self.track_duration) * media - i128::from(self.media_duration) * movie;
            assert!(
                difference.abs() < media.max(movie),
                "track {id}: tkhd duration {} at {movie} per second, mdhd duration {} at {media}",
                self.track_duration,
                self.media_duration
            );
            return;
        }
        let sum: u64 = self.edits.iter().map(|edit| edit.duration).sum();
        assert_eq!(sum, self.track_duration, "track {id}: sum of the edits, and tkhd duration");

        // The media is as long as its decode times say, from the first picture that is shown; the picture that is shown
        // last can end later still.
        let composed = |sample: &SampleView<'_>| i128::from(sample.dts) + i128::from(sample.cts_offset);
        let first = self.samples.iter().map(composed).min().unwrap_or(0);
        let ends = self.samples.iter().map(|sample| composed(sample) + i128::from(sample.duration));
        let end = ends.fold(first + i128::from(self.media_duration), i128::max);
        for edit in self.edits.iter().filter(|edit| edit.media_time >= 0) {
            let last = i128::from(edit.media_time) * movie + i128::from(edit.duration) * media;
            // One tick of the movie is the rounding.
            assert!(
                last <= end * movie + media.max(movie),
                "track {id}: {edit:?} reaches past the media, {end}"
            );
        }
    }
}

fn edit_list(trak: &BoxView<'_>) -> Vec<Edit> {
    let Some(elst) = trak.child("edts").map(|edts| edts.expect("elst")) else {
        return Vec::new();
    };
    let (version, _, mut fields) = elst.full_box();
    let edits: Vec<Edit> = (0..fields.u32())
        .map(|_| {
            let duration = fields.versioned(version);
            let media_time = if version == 0 { fields.i32().into() } else { fields.i64() };
            assert!(media_time >= -1, "{elst}: media_time {media_time}");
            assert_eq!(fields.u32(), 0x0001_0000, "{elst}: media_rate");
            Edit { duration, media_time }
        })
        .collect();
    fields.end();
    assert!(!edits.is_empty(), "{elst}: no entry");
    edits
}
