//! The operations on streams and their tags.

use std::num::NonZeroUsize;

use getclip_archive::{NewStream, Page, PageToken, Retention, StreamChange, StreamInfo as Stored};
use serde_json::{Value, json};

use super::archive_name;
use crate::http::{Caller, State};
use crate::model::{
    Arn, CreateStream, DeleteStream, DescribeStream, Exception, ListStreams, ListTagsForStream, ServiceError,
    StreamInfo, StreamName, StreamReference, StreamVersion, TagStream, UntagStream, UpdateDataRetention,
    UpdateStream,
};

/// How many streams are asked for at a time.
const PAGE: usize = 1000;

impl State {
    pub(super) async fn create_stream(&self, asked: CreateStream) -> Result<Value, ServiceError> {
        let name = asked.name.as_str().parse::<getclip_archive::StreamName>()?;
        if let Some(limit) = self.settings.limits.streams {
            self.check_stream_count(limit).await?;
        }
        let new = NewStream::new(name, Retention::from_hours(asked.retention_hours)?)
            .device_name(asked.device_name)
            .media_type(asked.media_type)
            .kms_key_id(asked.kms_key_id)
            .storage_tier(asked.storage_tier.map(str::to_owned))
            .tags(asked.tags);
        let stored = self.archive.create_stream(new).await?;
        Ok(CreateStream::response(&self.arn(&stored)?))
    }

    async fn check_stream_count(&self, limit: NonZeroUsize) -> Result<(), ServiceError> {
        let (streams, more) = self.archive.streams("", Page::first(limit)).await?;
        if more.is_some() || streams.len() >= limit.get() {
            let message = format!("This server holds at most {limit} streams.");
            return Err(ServiceError::new(Exception::AccountStreamLimitExceeded, message));
        }
        Ok(())
    }

    pub(super) async fn describe_stream(&self, asked: DescribeStream) -> Result<Value, ServiceError> {
        let stored = self.stream(&asked.stream).await?;
        Ok(DescribeStream::response(self.describe(&stored)?))
    }

    /// The streams that the caller may read. A page has fewer than asked for only at the end of the list.
    pub(super) async fn list_streams(
        &self,
        asked: ListStreams,
        caller: &Caller,
    ) -> Result<Value, ServiceError> {
        let prefix = asked.prefix.as_ref().map_or("", StreamName::as_str);
        let mut after = match &asked.token {
            None => None,
            Some(token) => Some(token.as_str().parse::<PageToken>()?),
        };
        let mut listed = Vec::new();
        while let Some(room) = NonZeroUsize::new(asked.max_results.saturating_sub(listed.len()).min(PAGE)) {
            let page = match after {
                None => Page::first(room),
                Some(token) => Page::after(token, room),
            };
            let (streams, next) = self.archive.streams(prefix, page).await?;
            for stored in streams.iter().filter(|stored| caller.sees(stored.name().as_str())) {
                listed.push(self.describe(stored)?);
            }
            after = next;
            if after.is_none() {
                break;
            }
        }
        Ok(ListStreams::response(listed, after.map(|token| token.to_string())))
    }

    pub(super) async fn update_stream(&self, asked: UpdateStream) -> Result<Value, ServiceError> {
        let change = StreamChange::new().device_name(asked.device_name).media_type(asked.media_type);
        self.change(&asked.stream, Some(&asked.current_version), change).await
    }

    pub(super) async fn update_data_retention(
        &self,
        asked: UpdateDataRetention,
    ) -> Result<Value, ServiceError> {
        let stored = self.stream(&asked.stream).await?;
        let hours = asked.change.apply(stored.retention().hours())?;
        let change = StreamChange::new().retention(Retention::from_hours(hours)?);
        self.change(&asked.stream, Some(&asked.current_version), change).await
    }

    pub(super) async fn delete_stream(&self, asked: DeleteStream) -> Result<Value, ServiceError> {
        let reference = StreamReference::by_arn(asked.arn);
        let stored = self.stream(&reference).await?;
        let version = match &asked.current_version {
            Some(version) => parse_version(version)?,
            // Not the stream that another request makes of the name in between.
            None => stored.version().clone(),
        };
        self.archive.delete_stream(stored.name(), Some(&version)).await?;
        Ok(json!({}))
    }

    pub(super) async fn tag_stream(&self, asked: TagStream) -> Result<Value, ServiceError> {
        self.change(&asked.stream, None, StreamChange::new().set_tags(asked.tags)).await
    }

    pub(super) async fn untag_stream(&self, asked: UntagStream) -> Result<Value, ServiceError> {
        self.change(&asked.stream, None, StreamChange::new().remove_tags(asked.keys)).await
    }

    pub(super) async fn list_tags(&self, asked: ListTagsForStream) -> Result<Value, ServiceError> {
        let stored = self.stream(&asked.stream).await?;
        Ok(ListTagsForStream::response(stored.tags()))
    }

    async fn change(
        &self,
        reference: &StreamReference,
        version: Option<&StreamVersion>,
        change: StreamChange,
    ) -> Result<Value, ServiceError> {
        let version = version.map(parse_version).transpose()?;
        let name = match reference.created_ms() {
            None => archive_name(reference.name())?,
            Some(_) => self.stream(reference).await?.name().clone(),
        };
        self.archive.change_stream(&name, version.as_ref(), change).await?;
        Ok(json!({}))
    }

    fn describe(&self, stored: &Stored) -> Result<StreamInfo, ServiceError> {
        Ok(StreamInfo {
            arn: self.arn(stored)?,
            device_name: stored.device_name().map(str::to_owned),
            media_type: stored.media_type().map(str::to_owned),
            kms_key_id: stored.kms_key_id().map(str::to_owned),
            version: stored.version().to_string(),
            retention_hours: stored.retention().hours(),
        })
    }

    fn arn(&self, stored: &Stored) -> Result<Arn, ServiceError> {
        let name = StreamName::parse("StreamName", stored.name().to_string())?;
        Ok(Arn::new(&self.settings.region, &self.settings.account, name, stored.created().as_millis()))
    }
}

/// A version that this archive never gave out is that of no stream.
fn parse_version(version: &StreamVersion) -> Result<getclip_archive::StreamVersion, ServiceError> {
    Ok(version.as_str().parse()?)
}
