//! [`Windows`]: the fetched parts of fragments that a body is cut from.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use tokio::task::JoinHandle;

use crate::Error;
use crate::media::Source;

/// Name of a window in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WindowId(u64);

/// Parts of fragments, each fetched by one request, a few ahead, bounded in bytes and requests.
#[derive(Debug, Default)]
pub(super) struct Windows {
    /// In the order in which they are first needed.
    windows: Vec<Window>,
    last_id: u64,
}

#[derive(Debug)]
struct Window {
    id: WindowId,
    source: Arc<Source>,
    range: Range<u64>,
    /// Range that pieces ahead need.
    needed: Range<u64>,
    /// Number of pieces ahead that need it.
    uses: usize,
    data: Data,
}

#[derive(Debug)]
enum Data {
    Wanted,
    Fetching(Fetch),
    Ready(Bytes),
}

/// A request under way, stopped when the body is dropped.
#[derive(Debug)]
struct Fetch(JoinHandle<Result<Bytes, Error>>);

impl Drop for Fetch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Windows {
    /// Size of a window in bytes. A fragment of a few seconds is one or a few of them.
    const SIZE: u64 = 512 << 10;
    /// Number of bytes in windows that are fetched or under way.
    const HELD: u64 = 4 * Self::SIZE;
    /// Number of requests at a time, which counts if fragments are smaller than windows.
    const REQUESTS: usize = 16;

    /// Adds a need for a range of a fragment's media. Returns the windows that hold it, with the range in each.
    pub(super) fn need(
        &mut self,
        source: &Arc<Source>,
        range: Range<u64>,
    ) -> impl Iterator<Item = (WindowId, Range<u64>)> + use<> {
        let mut pieces = Vec::new();
        let mut start = range.start;
        while start < range.end {
            let window_start = start - start % Self::SIZE;
            let window = window_start..(window_start + Self::SIZE).min(source.len().max(range.end));
            let piece = start..range.end.min(window.end);
            start = piece.end;
            pieces.push((self.need_window(source, window, &piece), piece));
        }
        pieces.into_iter()
    }

    fn need_window(&mut self, source: &Arc<Source>, range: Range<u64>, piece: &Range<u64>) -> WindowId {
        let known = self
            .windows
            .iter_mut()
            .rev()
            .find(|window| window.range.start == range.start && Arc::ptr_eq(&window.source, source));
        if let Some(window) = known {
            window.uses += 1;
            window.needed = window.needed.start.min(piece.start)..window.needed.end.max(piece.end);
            return window.id;
        }
        self.last_id += 1;
        let id = WindowId(self.last_id);
        let (source, needed) = (Arc::clone(source), piece.clone());
        self.windows.push(Window { id, source, range, needed, uses: 1, data: Data::Wanted });
        id
    }

    /// Starts requests for the windows that are needed first, while there is room. Once all needs are `known`, only the
    /// needed range of each window is fetched.
    pub(super) fn fetch(&mut self, known: bool) {
        if known {
            self.windows.retain(|window| window.uses > 0);
        }
        let mut fetching = self.windows.iter().filter(|window| window.is_fetching()).count();
        let mut held: u64 = self.windows.iter().map(Window::held).sum();
        let mut at = 0;
        while at < self.windows.len() && fetching < Self::REQUESTS {
            if matches!(self.windows[at].data, Data::Wanted) {
                let len = self.windows[at].len_to_fetch(known);
                while held > 0 && held + len > Self::HELD {
                    // The oldest window that nothing ahead needs makes room.
                    let Some(unused) = self.windows.iter().position(|window| window.uses == 0) else {
                        return;
                    };
                    held -= self.windows.remove(unused).held();
                    at -= usize::from(unused < at);
                }
                self.windows[at].fetch(known);
                held += len;
                fetching += 1;
            }
            at += 1;
        }
    }

    /// Takes a piece out of its window, once it is fetched.
    pub(super) async fn take(&mut self, id: WindowId, piece: Range<u64>) -> Result<Bytes, Error> {
        let at = self.windows.iter().position(|window| window.id == id).ok_or(Error::Stopped)?;
        if matches!(self.windows[at].data, Data::Wanted) {
            // All room is taken by windows that later pieces need: the last of these is dropped, and fetched again later.
            let held: u64 = self.windows.iter().map(Window::held).sum();
            if held >= Self::HELD
                && let Some(last) = self.windows.iter_mut().rfind(|window| window.held() > 0)
            {
                last.data = Data::Wanted;
            }
            self.windows[at].fetch(false);
        }
        let window = &mut self.windows[at];
        if let Data::Fetching(fetch) = &mut window.data {
            let bytes = (&mut fetch.0).await.map_err(|_| Error::Stopped)??;
            window.data = Data::Ready(bytes);
        }
        let Data::Ready(bytes) = &window.data else { return Err(Error::Stopped) };
        let offset = |at: u64| usize::try_from(at - window.range.start).unwrap_or(usize::MAX);
        let bytes = bytes.slice(offset(piece.start)..offset(piece.end));
        window.uses -= 1;
        Ok(bytes)
    }
}

impl Window {
    fn is_fetching(&self) -> bool {
        matches!(self.data, Data::Fetching(_))
    }

    /// Number of bytes that are fetched or under way.
    fn held(&self) -> u64 {
        match self.data {
            Data::Wanted => 0,
            Data::Fetching(_) | Data::Ready(_) => self.range.end - self.range.start,
        }
    }

    fn len_to_fetch(&self, known: bool) -> u64 {
        let range = if known { &self.needed } else { &self.range };
        range.end - range.start
    }

    fn fetch(&mut self, known: bool) {
        if known {
            self.range = self.needed.clone();
        }
        let (source, range) = (Arc::clone(&self.source), self.range.clone());
        self.data = Data::Fetching(Fetch(tokio::spawn(async move { source.read(range).await })));
    }
}
