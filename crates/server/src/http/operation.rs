//! [`Operation`]: what can be asked for, by its name in logs and metrics.

use crate::sigv4::Permission;

/// An operation: those of the service, and those of this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operation {
    GetDataEndpoint,
    GetClip,
    ListFragments,
    GetMediaForFragmentList,
    GetMedia,
    PutMedia,
    CreateStream,
    DescribeStream,
    ListStreams,
    UpdateStream,
    UpdateDataRetention,
    DeleteStream,
    TagStream,
    UntagStream,
    ListTagsForStream,
    /// `GET /streams/{name}/clip.mp4`
    ClipFile,
    /// `GET /streams/{name}/clip.json`
    ClipReport,
    /// `GET /streams/{name}/timeline.json`
    Timeline,
}

impl Operation {
    /// The operations of the service.
    const OF_THE_SERVICE: [Self; 15] = [
        Self::GetDataEndpoint,
        Self::GetClip,
        Self::ListFragments,
        Self::GetMediaForFragmentList,
        Self::GetMedia,
        Self::PutMedia,
        Self::CreateStream,
        Self::DescribeStream,
        Self::ListStreams,
        Self::UpdateStream,
        Self::UpdateDataRetention,
        Self::DeleteStream,
        Self::TagStream,
        Self::UntagStream,
        Self::ListTagsForStream,
    ];

    /// The operation that is POSTed to a path. A path is the operation's name with a small first letter.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let name = path.strip_prefix('/')?;
        Self::OF_THE_SERVICE.into_iter().find(|operation| {
            let (first, rest) = operation.name().split_at(1);
            name.strip_prefix(&first.to_ascii_lowercase()) == Some(rest)
        })
    }

    /// Name in the model, or one of the same kind.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::GetDataEndpoint => "GetDataEndpoint",
            Self::GetClip => "GetClip",
            Self::ListFragments => "ListFragments",
            Self::GetMediaForFragmentList => "GetMediaForFragmentList",
            Self::GetMedia => "GetMedia",
            Self::PutMedia => "PutMedia",
            Self::CreateStream => "CreateStream",
            Self::DescribeStream => "DescribeStream",
            Self::ListStreams => "ListStreams",
            Self::UpdateStream => "UpdateStream",
            Self::UpdateDataRetention => "UpdateDataRetention",
            Self::DeleteStream => "DeleteStream",
            Self::TagStream => "TagStream",
            Self::UntagStream => "UntagStream",
            Self::ListTagsForStream => "ListTagsForStream",
            Self::ClipFile => "ClipFile",
            Self::ClipReport => "ClipReport",
            Self::Timeline => "Timeline",
        }
    }

    /// What a key needs for it.
    pub(crate) const fn permission(self) -> Permission {
        match self {
            Self::PutMedia
            | Self::CreateStream
            | Self::UpdateStream
            | Self::UpdateDataRetention
            | Self::DeleteStream
            | Self::TagStream
            | Self::UntagStream => Permission::Write,
            _ => Permission::Read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_models() {
        for (path, operation) in [
            ("/getDataEndpoint", Operation::GetDataEndpoint),
            ("/getClip", Operation::GetClip),
            ("/listFragments", Operation::ListFragments),
            ("/getMediaForFragmentList", Operation::GetMediaForFragmentList),
            ("/getMedia", Operation::GetMedia),
            ("/putMedia", Operation::PutMedia),
            ("/createStream", Operation::CreateStream),
            ("/describeStream", Operation::DescribeStream),
            ("/listStreams", Operation::ListStreams),
            ("/updateStream", Operation::UpdateStream),
            ("/updateDataRetention", Operation::UpdateDataRetention),
            ("/deleteStream", Operation::DeleteStream),
            ("/tagStream", Operation::TagStream),
            ("/untagStream", Operation::UntagStream),
            ("/listTagsForStream", Operation::ListTagsForStream),
        ] {
            assert_eq!(Operation::of_path(path), Some(operation));
        }
        for path in ["", "/", "/GetClip", "/getClip/", "/clipFile", "getClip"] {
            assert_eq!(Operation::of_path(path), None, "{path}");
        }
    }
}
