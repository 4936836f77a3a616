//! [`Recording`]: all inputs, one after the other, as the library wants to have them.

mod coverage;
mod order;

use std::collections::HashMap;
use std::slice;

use getclip::{Damage, Error, ErrorKind, Fragment, FragmentIndex, FragmentName, Incomplete, Timestamp};

use crate::failure::Failure;
use crate::input::{Input, Inputs};
use crate::progress::Progress;
use crate::stream::{FragmentStream, Wanted};
use crate::time::TimeRange;
pub(crate) use coverage::{Coverage, Span, Split};
use order::Order;
pub(crate) use order::Reason;

/// What decides how far the inputs are read, and how their fragments are dated.
#[derive(Debug)]
pub(crate) struct ReadOptions {
    pub(crate) range: TimeRange,
    pub(crate) recording_start: Option<Timestamp>,
    pub(crate) max_fragments: usize,
    /// Read pipes to their end, whatever their order shows.
    pub(crate) read_all: bool,
    /// The fragment that contains the start of the range is taken.
    pub(crate) covers_start: bool,
    pub(crate) show_progress: bool,
}

/// What was found on the way that the library cannot know, since it sees no files.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) coverage: Coverage,
    pub(crate) truncated: Vec<Truncated>,
    pub(crate) damaged: Vec<Damaged>,
    pub(crate) stopped: Vec<Stopped>,
    /// Which file each fragment came from, if there are several. Files can share the names of untagged fragments.
    pub(crate) files: HashMap<FragmentName, String>,
}

/// A file that ends inside a fragment.
#[derive(Debug)]
pub(crate) struct Truncated {
    pub(crate) file: String,
    pub(crate) fragment: FragmentName,
    pub(crate) frames: u64,
    pub(crate) incomplete: Incomplete,
}

/// A place of a file that cannot be read.
#[derive(Debug)]
pub(crate) struct Damaged {
    pub(crate) file: String,
    /// `None` between fragments.
    pub(crate) fragment: Option<FragmentName>,
    pub(crate) damage: Damage,
}

/// A pipe that was not read to its end.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) file: String,
    pub(crate) bytes_read: u64,
    pub(crate) fragment: FragmentName,
    pub(crate) reason: Reason,
}

/// The fragments of all inputs, each input with a reader of its own: a file that ends early does not harm the next one,
/// and offsets in errors are offsets in a file.
pub(crate) struct Recording<'a> {
    inputs: &'a Inputs,
    options: &'a ReadOptions,
    waiting: slice::Iter<'a, Input>,
    open: Option<Open<'a>>,
    /// Which input each fragment came from, by its name; `None` where inputs share the name, as those of untagged
    /// fragments do.
    origins: HashMap<FragmentName, Option<&'a Input>>,
    /// Bytes of the inputs that were read to their end.
    finished: u64,
    progress: Progress,
    found: Found,
}

/// Why a clip could not be made: the input could not be read, or the library refuses it.
pub(crate) enum BuildError {
    Input(Failure),
    Library(Error),
}

impl From<Error> for BuildError {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

/// The option with which the clip could be made, where there is one.
fn options_that_help(error: &Error) -> String {
    let option = match error.kind() {
        ErrorKind::UnsupportedMediaType { .. } if error.location().track.is_some_and(|track| track != 1) => {
            "--no-audio takes the pictures alone"
        }
        ErrorKind::CodecPrivateDataChanged { .. } => "--codec-changes new-sample-entry takes the change",
        ErrorKind::MissingCodecPrivateData => "--codec-private-from-frames takes it from the first key frame",
        ErrorKind::FragmentExceedsLimit { .. } => "--max-bytes and --limits none raise the limit",
        ErrorKind::Truncated { .. } | ErrorKind::Malformed { .. } | ErrorKind::InvalidMediaFrame { .. } => {
            "without --strict what is whole is kept"
        }
        ErrorKind::MissingTimestamp { .. } => "--by producer goes by the other clock",
        _ => return String::new(),
    };
    format!("; {option}")
}

/// The input that is being read.
struct Open<'a> {
    input: &'a Input,
    stream: FragmentStream<'a>,
    /// Of an input that comes over time.
    order: Option<Order>,
    can_be_left: bool,
    is_over: bool,
}

impl<'a> Recording<'a> {
    pub(crate) fn new(inputs: &'a Inputs, options: &'a ReadOptions) -> Self {
        Self {
            inputs,
            options,
            waiting: inputs.files.iter(),
            open: None,
            origins: HashMap::new(),
            finished: 0,
            progress: Progress::new(inputs.len(), options.show_progress),
            found: Found::default(),
        }
    }

    /// The files that are read.
    pub(crate) fn input_files(&self) -> &'a [Input] {
        &self.inputs.files
    }

    /// Whether the fragments come over time and in order, so that none of those to come belongs before any so far.
    pub(crate) fn comes_in_order(&self) -> bool {
        let order = self.open.as_ref().and_then(|open| open.order.as_ref());
        self.inputs.files.len() == 1 && order.is_some_and(Order::is_kept)
    }

    /// What the library made of the fragments, and what was found on the way.
    pub(crate) fn outcome<T>(self, built: Result<T, BuildError>) -> Result<(T, Found), Failure> {
        match built {
            Ok(built) => {
                let origins = self.origins.into_iter();
                let files = origins.filter_map(|(name, input)| Some((name, input?.to_string()))).collect();
                Ok((built, Found { files, ..self.found }))
            }
            Err(BuildError::Input(failure)) => Err(failure),
            Err(BuildError::Library(error)) if matches!(error.kind(), ErrorKind::NoFragments { .. }) => {
                Err(Failure::no_fragments(self.inputs, &self.options.range, &self.found.coverage, error))
            }
            Err(BuildError::Library(error)) => {
                let detail = options_that_help(&error);
                let name = error.location().fragment.as_ref();
                let origin = name.and_then(|name| self.origins.get(name).copied().flatten());
                let file = match (origin, self.inputs.files.as_slice()) {
                    (Some(input), _) | (None, [input]) => input.to_string(),
                    _ => self.inputs.describe(),
                };
                Err(Failure::Media { file, error, detail })
            }
        }
    }

    fn next_item(&mut self) -> Result<Option<Fragment>, Failure> {
        loop {
            let open = match &mut self.open {
                Some(open) => open,
                None => {
                    let Some(input) = self.waiting.next() else { return Ok(None) };
                    self.open.insert(Open::new(input, self.options)?)
                }
            };
            let fragment = if open.is_over { None } else { open.stream.next().transpose()? };
            let bytes_read = open.stream.bytes_read();
            self.progress.set(self.finished.saturating_add(bytes_read));
            let Some(fragment) = fragment else {
                self.finished = self.finished.saturating_add(bytes_read);
                self.open = None;
                continue;
            };
            let input = open.input;
            let index = fragment.index();
            self.found.stopped.extend(open.look_at(index));
            self.found.coverage.add(index, self.options);
            if let Some(incomplete) = index.incomplete() {
                self.found.truncated.push(Truncated {
                    file: input.to_string(),
                    fragment: index.name(),
                    frames: index.frames().count() as u64,
                    incomplete: incomplete.clone(),
                });
            }
            self.found.damaged.extend(index.damages().iter().map(|damage| Damaged {
                file: input.to_string(),
                fragment: (index.media_len() > 0 && damage.offset >= index.offset()).then(|| index.name()),
                damage: damage.clone(),
            }));
            if self.inputs.files.len() > 1 {
                self.origins
                    .entry(index.name())
                    .and_modify(|origin| *origin = origin.filter(|known| *known == input))
                    .or_insert(Some(input));
            }
            return Ok(Some(fragment));
        }
    }
}

impl<'a> Open<'a> {
    fn new(input: &'a Input, options: &ReadOptions) -> Result<Self, Failure> {
        let wanted = options.range.reading()?.map_or(Wanted::Media, Wanted::MediaInRange);
        let stream = FragmentStream::open(input, wanted)?;
        let order = stream.is_live().then(|| Order::new(&options.range, options.max_fragments));
        Ok(Self { input, stream, order, can_be_left: !options.read_all, is_over: false })
    }

    /// Leaves the input if this fragment shows that it has nothing more for the clip.
    fn look_at(&mut self, fragment: &FragmentIndex) -> Option<Stopped> {
        let reason = self.order.as_mut()?.offer(fragment).filter(|_| self.can_be_left)?;
        self.is_over = true;
        Some(Stopped {
            file: self.input.to_string(),
            bytes_read: self.stream.bytes_read(),
            fragment: fragment.name(),
            reason,
        })
    }
}

impl Iterator for Recording<'_> {
    type Item = Result<Fragment, BuildError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_item().map_err(BuildError::Input).transpose()
    }
}
