//! Every operation can be awaited in a task of its own, also inside another future: rustc proves less of a nested one.

use std::num::NonZeroUsize;
use std::time::Duration;

use bytes::Bytes;
use futures_util::TryStreamExt;
use getclip::{ClipFragmentSelector, ClipFragmentSelectorType, Timestamp};
use getclip_archive::{
    Archive, CheckOptions, ClipRequest, Error, Identity, ImportOptions, NewStream, Page, Retention, Settings,
    StreamChange, TailStart,
};
use testkit::manifest;

use crate::recordings::read;
use crate::stores::name;

async fn everything(archive: Archive) -> Result<(), Error> {
    const ALL: Page = Page::first(NonZeroUsize::MAX);
    archive.ready().await?;
    let stream = archive.create_stream(NewStream::new(name("s"), Retention::Forever)).await?;
    let stream = archive.change_stream(stream.name(), None, StreamChange::new()).await?;
    archive.streams("", ALL).await?;
    let numbering = archive.numbering(&stream).await?;
    let (number, server_timestamp) = numbering.next();
    let producer_timestamp = Timestamp::from_millis(0);
    let identity = Identity::Assigned { number, producer_timestamp, server_timestamp };
    archive.append(&stream, read(&manifest::mkv("h264_aac")).remove(0), identity).await?;
    let input = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from(manifest::mkv("h264_aac")))]);
    archive.import(&stream, input, &ImportOptions::default()).await?;
    let path = manifest::path("h264_aac.mkv").to_str().unwrap_or_default().to_owned();
    for recording in archive.recordings(&path).await? {
        archive.import_from(&stream, &recording, &ImportOptions::default()).await?;
        archive.import_in_place(&stream, &recording, &ImportOptions::default()).await?;
    }
    let selector = ClipFragmentSelector::all(ClipFragmentSelectorType::ServerTimestamp);
    let (fragments, _) = archive.list_fragments(&stream, selector, ALL).await?;
    let numbers: Vec<_> = fragments.iter().map(|fragment| fragment.number().clone()).collect();
    archive.fragments_by_number(&stream, &numbers).await?;
    archive.first_fragment(&stream).await?;
    archive.statistics(&stream).await?;
    let all = Timestamp::from_millis(0)..=Timestamp::from_millis(i64::MAX);
    archive.coverage(&stream, all.clone(), Duration::from_secs(1)).await?;
    if let Some(start) = archive.tail_start(&stream, &TailStart::Earliest).await? {
        archive.tail(&stream, &start, NonZeroUsize::MAX).await?;
    }
    archive.index_hours(&stream, all).await?;
    archive.documents(&stream, fragments).try_for_each(|_| std::future::ready(Ok(()))).await?;
    let everything = ClipFragmentSelector::all(ClipFragmentSelectorType::ProducerTimestamp);
    let clip = archive.clip(stream.name(), &ClipRequest::new(everything)).await;
    if let Ok(clip) = clip {
        clip.body(..).try_for_each(|_| std::future::ready(Ok(()))).await?;
    }
    archive.check(&CheckOptions::default(), &mut |_| {}).await?;
    archive.prune().await?;
    archive.delete_stream(stream.name(), None).await
}

#[tokio::test]
async fn every_operation_runs_in_a_task() {
    let archive = Archive::memory(Settings::default());
    tokio::spawn(async move { everything(archive).await }).await.unwrap().unwrap();
}
