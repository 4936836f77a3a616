//! The operations: a parsed request, the archive, a response.

mod archived_media;
mod clip;
mod clip_file;
mod data_endpoint;
mod media;
mod put_media;
mod recent_media;
mod streams;
mod timeline;
mod urls;

pub(crate) use self::put_media::stream_of;
use axum::body::Body;
use bytes::Bytes;
use getclip_archive::StreamInfo;
use http::Response;
use http::request::Parts;

use crate::http::{Caller, Exchange, Operation, State, json_response};
use crate::model::{
    CreateStream, DeleteStream, DescribeStream, GetClip, GetDataEndpoint, GetMedia, GetMediaForFragmentList,
    ListFragments, ListStreams, ListTagsForStream, ServiceError, StreamName, StreamReference, TagStream,
    UntagStream, UpdateDataRetention, UpdateStream,
};

impl State {
    /// Parses the body of an operation of the service, checks that the caller may, and does it.
    pub(crate) async fn perform(
        &self,
        operation: Operation,
        body: &Bytes,
        caller: &Caller,
        request: &Parts,
        exchange: &mut Exchange,
    ) -> Result<Response<Body>, ServiceError> {
        match operation {
            Operation::GetDataEndpoint => {
                let asked = GetDataEndpoint::parse(body)?;
                permit(operation, caller, asked.stream.name(), exchange)?;
                self.get_data_endpoint(asked, request).await.map(|response| json_response(&response))
            }
            Operation::GetClip => {
                let asked = GetClip::parse(body)?;
                permit(operation, caller, asked.stream.name(), exchange)?;
                self.get_clip(asked).await
            }
            Operation::ListFragments => {
                let asked = ListFragments::parse(body)?;
                permit(operation, caller, asked.stream.name(), exchange)?;
                self.list_fragments(asked).await.map(|response| json_response(&response))
            }
            Operation::GetMediaForFragmentList => {
                let asked = GetMediaForFragmentList::parse(body)?;
                permit(operation, caller, asked.stream.name(), exchange)?;
                self.get_media_for_fragment_list(asked).await
            }
            Operation::GetMedia => {
                let asked = GetMedia::parse(body)?;
                permit(operation, caller, asked.stream.name(), exchange)?;
                self.get_media(asked).await
            }
            Operation::CreateStream => {
                let asked = CreateStream::parse(body)?;
                permit(operation, caller, &asked.name, exchange)?;
                self.create_stream(asked).await.map(|response| json_response(&response))
            }
            Operation::DescribeStream => {
                let asked = DescribeStream::parse(body)?;
                permit(operation, caller, asked.stream.name(), exchange)?;
                self.describe_stream(asked).await.map(|response| json_response(&response))
            }
            Operation::ListStreams => {
                let asked = ListStreams::parse(body)?;
                caller.check_any(operation.permission())?;
                self.list_streams(asked, caller).await.map(|response| json_response(&response))
            }
            Operation::UpdateStream => {
                let asked = UpdateStream::parse(body)?;
                permit(operation, caller, asked.stream.name(), exchange)?;
                self.update_stream(asked).await.map(|response| json_response(&response))
            }
            Operation::UpdateDataRetention => {
                let asked = UpdateDataRetention::parse(body)?;
                permit(operation, caller, asked.stream.name(), exchange)?;
                self.update_data_retention(asked).await.map(|response| json_response(&response))
            }
            Operation::DeleteStream => {
                let asked = DeleteStream::parse(body)?;
                permit(operation, caller, asked.arn.name(), exchange)?;
                self.delete_stream(asked).await.map(|response| json_response(&response))
            }
            Operation::TagStream => {
                let asked = TagStream::parse(body)?;
                permit(operation, caller, asked.stream.name(), exchange)?;
                self.tag_stream(asked).await.map(|response| json_response(&response))
            }
            Operation::UntagStream => {
                let asked = UntagStream::parse(body)?;
                permit(operation, caller, asked.stream.name(), exchange)?;
                self.untag_stream(asked).await.map(|response| json_response(&response))
            }
            Operation::ListTagsForStream => {
                let asked = ListTagsForStream::parse(body)?;
                permit(operation, caller, asked.stream.name(), exchange)?;
                self.list_tags(asked).await.map(|response| json_response(&response))
            }
            Operation::PutMedia | Operation::ClipFile | Operation::ClipReport | Operation::Timeline => {
                Err(ServiceError::stream_not_found())
            }
        }
    }

    /// The stream that a request is about.
    pub(crate) async fn stream(&self, reference: &StreamReference) -> Result<StreamInfo, ServiceError> {
        let info = self.archive.stream(&archive_name(reference.name())?).await?;
        check_created(reference, &info)?;
        Ok(info)
    }
}

/// Whether the caller may do this to the stream, whose name the log has in any case.
fn permit(
    operation: Operation,
    caller: &Caller,
    stream: &StreamName,
    exchange: &mut Exchange,
) -> Result<(), ServiceError> {
    exchange.stream = Some(stream.to_string());
    caller.check(operation.permission(), stream.as_str())
}

/// An ARN is that of one stream, not of a later one of the same name.
pub(crate) fn check_created(reference: &StreamReference, info: &StreamInfo) -> Result<(), ServiceError> {
    match reference.created_ms() {
        Some(created) if created != info.created().as_millis() => Err(ServiceError::stream_not_found()),
        _ => Ok(()),
    }
}

/// A name as the archive takes it: `.` and `..`, which are names for the service, are those of no stream here.
pub(crate) fn archive_name(name: &StreamName) -> Result<getclip_archive::StreamName, ServiceError> {
    name.as_str().parse().map_err(|_| ServiceError::stream_not_found())
}
