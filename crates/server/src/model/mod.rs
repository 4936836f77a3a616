//! Requests and responses of the operations, as the service model has them.
//!
//! Names, members and constraints are those of the models that the SDKs are generated from (`kinesisvideo`,
//! `kinesis-video-archived-media` and `kinesis-video-media`, version 2017-09-30). A request is parsed into types that
//! cannot hold what the model forbids; whatever breaks a constraint is an [`InvalidArgument`](Exception::InvalidArgument)
//! that names the member, what was expected and what was found. The SDKs check minimum lengths at most, so all of it
//! arrives here.

mod archived_media;
mod data_endpoint;
mod error;
mod media;
mod members;
mod names;
mod selector;
mod streams;
mod tags;
mod time;
mod token;

pub use archived_media::{
    GetClip, GetMediaForFragmentList, ListFragments, ListFragmentsStart, ListedFragment,
};
pub use data_endpoint::{ApiName, GetDataEndpoint};
pub use error::{Exception, ServiceError};
pub use media::{GetMedia, StartSelector};
pub use names::{Arn, StreamName, StreamReference, StreamVersion};
pub use selector::FragmentSelector;
pub use streams::{
    CreateStream, DeleteStream, DescribeStream, ListStreams, RetentionChange, StreamInfo,
    UpdateDataRetention, UpdateStream,
};
pub use tags::{ListTagsForStream, MAX_TAGS, TagStream, Tags, UntagStream};
pub use token::NextToken;
