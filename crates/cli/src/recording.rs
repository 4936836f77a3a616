//! [`Recording`]: all inputs, one after the other, as the library wants to have them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::slice;

use getclip::{Error, Fragment, FragmentName};

use crate::failure::Failure;
use crate::input::{self, Input};
use crate::progress::Progress;
use crate::stream::FragmentStream;

/// The fragments of all inputs, each input with a reader of its own: a file that ends early does not harm the next one,
/// and offsets in errors are offsets in a file.
pub(crate) struct Recording<'a> {
    arguments: &'a [PathBuf],
    inputs: &'a [Input],
    waiting: slice::Iter<'a, Input>,
    open: Option<(&'a Input, FragmentStream<'a>)>,
    /// Which input each fragment came from, by its name; `None` where inputs share the name, as those of untagged
    /// fragments do.
    origins: HashMap<FragmentName, Option<&'a Input>>,
    /// Bytes of the inputs that were read to their end.
    finished: u64,
    progress: Progress,
    failure: Option<Failure>,
}

impl<'a> Recording<'a> {
    /// The fragments of `inputs`, which are what the command line calls `arguments`.
    pub(crate) fn new(arguments: &'a [PathBuf], inputs: &'a [Input]) -> Self {
        Self {
            arguments,
            inputs,
            waiting: inputs.iter(),
            open: None,
            origins: HashMap::new(),
            finished: 0,
            progress: Progress::new(inputs.iter().map(Input::len).sum()),
            failure: None,
        }
    }

    /// What the library made of the fragments, unless reading them failed.
    pub(crate) fn outcome<T>(self, built: Result<T, Error>) -> Result<T, Failure> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        built.map_err(|error| {
            let name = error.location().fragment.as_ref();
            let origin = name.and_then(|name| self.origins.get(name).copied().flatten());
            match (origin, self.inputs) {
                (Some(input), _) | (None, [input]) => Failure::media(input, error),
                _ => Failure::media(input::describe(self.arguments), error),
            }
        })
    }

    fn next_item(&mut self) -> Result<Option<Fragment>, Failure> {
        loop {
            let (input, stream) = match &mut self.open {
                Some(open) => open,
                None => {
                    let Some(input) = self.waiting.next() else { return Ok(None) };
                    self.open.insert((input, FragmentStream::open(input)?))
                }
            };
            let fragment = stream.next().transpose()?;
            let bytes_read = stream.bytes_read();
            self.progress.set(self.finished.saturating_add(bytes_read));
            let Some(fragment) = fragment else {
                self.finished = self.finished.saturating_add(bytes_read);
                self.open = None;
                continue;
            };
            if self.inputs.len() > 1 {
                let input: &'a Input = input;
                self.origins
                    .entry(fragment.name())
                    .and_modify(|origin| *origin = origin.filter(|known| *known == input))
                    .or_insert(Some(input));
            }
            return Ok(Some(fragment));
        }
    }
}

impl Iterator for Recording<'_> {
    type Item = Result<Fragment, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failure.is_some() {
            return None;
        }
        match self.next_item() {
            Ok(fragment) => fragment.map(Ok),
            Err(failure) => {
                // An error of the media ends the build at once. For one of the file system the library has no word:
                // it gets to see an end, and `outcome` throws away what it makes of that.
                let error = match &failure {
                    Failure::Media { error, .. } => Some(Err(error.clone())),
                    _ => None,
                };
                self.failure = Some(failure);
                error
            }
        }
    }
}
