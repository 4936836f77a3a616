//! Plans a clip from indexes that arrive asynchronously, such as rows of a database or objects of a bucket.
//!
//!     cargo run --example plan_async -- testdata/h264_aac.mkv
//!
//! The library knows no async: a [`Planner`](getclip::Planner) is offered one index at a time, so any runtime and any
//! error of the source fit around it. Here a channel and a task that waits stand for the source.

use std::future::Future;
use std::pin::pin;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::task::{Context, Poll, Waker};

use getclip::{
    ClipBuilder, ClipFragmentSelector, ClipFragmentSelectorType, ClipPlan, FragmentIndex, fragments,
};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// A source of rows that is not always ready.
struct Rows(Receiver<Vec<u8>>);

impl Rows {
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        std::future::poll_fn(|context| match self.0.try_recv() {
            Ok(row) => Poll::Ready(Ok(Some(row))),
            Err(TryRecvError::Disconnected) => Poll::Ready(Ok(None)),
            Err(TryRecvError::Empty) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await
    }
}

async fn plan(mut rows: Rows) -> Result<ClipPlan, Error> {
    let everything = ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp);
    let mut planner = ClipBuilder::new(everything).planner();
    // The source's errors and the library's go the same way.
    while let Some(row) = rows.next().await? {
        planner.offer(FragmentIndex::decode(&row)?)?;
    }
    Ok(planner.finish()?)
}

fn main() -> Result<(), Error> {
    let recording = std::fs::read(std::env::args().nth(1).ok_or("usage: plan_async RECORDING")?)?;
    let (sender, receiver) = channel();
    let source = std::thread::spawn(move || {
        for fragment in fragments(recording.into()).flatten() {
            std::thread::sleep(std::time::Duration::from_millis(5));
            let _ = sender.send(fragment.index().encode());
        }
    });
    let plan = block_on(plan(Rows(receiver)))?;
    source.join().map_err(|_| "the source panicked")?;
    println!("{} bytes of {} fragments, entity tag {}", plan.len(), plan.fragments().len(), plan.etag());
    Ok(())
}

/// The smallest runtime: it asks again until the future is ready.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
        std::thread::yield_now();
    }
}
