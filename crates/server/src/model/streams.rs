//! The operations on streams: create, describe, list, update, change the retention, delete.

use getclip::Timestamp;
use serde_json::{Value, json};

use super::error::ServiceError;
use super::members::{Members, check_string, shown};
use super::names::{Arn, StreamName, StreamReference, StreamVersion, is_name_character};
use super::tags::{Tags, take_tags};
use super::time;
use super::token::NextToken;

/// The longest retention: ten years of 365 days.
const MAX_RETENTION_HOURS: u32 = 87_600;

/// Request of CreateStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateStream {
    /// Name of the new stream.
    pub name: StreamName,
    /// `DeviceName`
    pub device_name: Option<String>,
    /// `MediaType`
    pub media_type: Option<String>,
    /// `KmsKeyId`. Kept and returned; encryption is the store's.
    pub kms_key_id: Option<String>,
    /// How long fragments are kept, 0 to 87,600 hours; 0 keeps none.
    pub retention_hours: u32,
    /// `Tags`
    pub tags: Tags,
    /// `StreamStorageConfiguration.DefaultStorageTier`: `HOT` or `WARM`. Kept and returned.
    pub storage_tier: Option<&'static str>,
}

impl CreateStream {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        let name =
            members.parsed("StreamName", StreamName::parse)?.ok_or_else(|| members.missing("StreamName"))?;
        let retention = members.integer("DataRetentionInHours", 0..=MAX_RETENTION_HOURS.into())?;
        let storage_tier = match members.structure("StreamStorageConfiguration")? {
            None => None,
            Some(mut storage) => Some(
                storage
                    .choice("DefaultStorageTier", &["HOT", "WARM"].map(|tier| (tier, tier)))?
                    .ok_or_else(|| storage.missing("DefaultStorageTier"))?,
            ),
        };
        Ok(Self {
            name,
            device_name: take_device_name(&mut members)?,
            media_type: take_media_type(&mut members)?,
            kms_key_id: members.parsed("KmsKeyId", |member, text| {
                check_string(member, &text, 1..=2048, "one line", |c| !matches!(c, '\n' | '\r'))?;
                Ok(text)
            })?,
            retention_hours: retention.and_then(|hours| u32::try_from(hours).ok()).unwrap_or(0),
            tags: take_tags(&mut members)?.unwrap_or_default(),
            storage_tier,
        })
    }

    /// The response that names the new stream.
    pub fn response(arn: &Arn) -> Value {
        json!({"StreamARN": arn.to_string()})
    }
}

/// Request of DescribeStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DescribeStream {
    /// The stream.
    pub stream: StreamReference,
}

impl DescribeStream {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        Ok(Self { stream: StreamReference::take(&mut Members::parse(body)?)? })
    }

    /// The response that describes a stream.
    pub fn response(info: StreamInfo) -> Value {
        json!({"StreamInfo": info.into_json()})
    }
}

/// A stream as DescribeStream and ListStreams describe it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    /// `StreamARN`, which holds the name.
    pub arn: Arn,
    /// `DeviceName`
    pub device_name: Option<String>,
    /// `MediaType`
    pub media_type: Option<String>,
    /// `KmsKeyId`
    pub kms_key_id: Option<String>,
    /// `Version`
    pub version: String,
    /// `DataRetentionInHours`
    pub retention_hours: u32,
}

impl StreamInfo {
    fn into_json(self) -> Value {
        let mut info = json!({
            "StreamName": self.arn.name().as_str(),
            "StreamARN": self.arn.to_string(),
            "Version": self.version,
            "Status": "ACTIVE",
            "CreationTime": time::to_json(Timestamp::from_millis(self.arn.created_ms())),
            "DataRetentionInHours": self.retention_hours,
        });
        let optional =
            [("DeviceName", self.device_name), ("MediaType", self.media_type), ("KmsKeyId", self.kms_key_id)];
        if let Value::Object(map) = &mut info {
            map.extend(optional.into_iter().filter_map(|(name, value)| Some((name.into(), value?.into()))));
        }
        info
    }
}

/// Request of ListStreams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListStreams {
    /// The most streams to list.
    pub max_results: usize,
    /// Where the page before it ended.
    pub token: Option<NextToken>,
    /// `StreamNameCondition`: what the names begin with.
    pub prefix: Option<StreamName>,
}

impl ListStreams {
    /// Streams listed where the request has no MaxResults: as many as the service lists.
    const DEFAULT_MAX_RESULTS: usize = 10_000;

    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        let max_results = members.integer("MaxResults", 1..=10_000)?;
        let token = NextToken::take_optional(&mut members)?;
        let prefix = match members.structure("StreamNameCondition")? {
            None => None,
            Some(mut condition) => {
                condition.choice("ComparisonOperator", &[("BEGINS_WITH", ())])?;
                condition.parsed("ComparisonValue", StreamName::parse)?
            }
        };
        let max_results = max_results.and_then(|max| usize::try_from(max).ok());
        Ok(Self { max_results: max_results.unwrap_or(Self::DEFAULT_MAX_RESULTS), token, prefix })
    }

    /// The response that lists `streams`.
    pub fn response(streams: impl IntoIterator<Item = StreamInfo>, next_token: Option<String>) -> Value {
        let streams: Vec<_> = streams.into_iter().map(StreamInfo::into_json).collect();
        match next_token {
            Some(token) => json!({"StreamInfoList": streams, "NextToken": token}),
            None => json!({"StreamInfoList": streams}),
        }
    }
}

/// Request of UpdateStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateStream {
    /// The stream.
    pub stream: StreamReference,
    /// The version that the change is made to.
    pub current_version: StreamVersion,
    /// The new `DeviceName`, if it changes.
    pub device_name: Option<String>,
    /// The new `MediaType`, if it changes.
    pub media_type: Option<String>,
}

impl UpdateStream {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        Ok(Self {
            stream: StreamReference::take(&mut members)?,
            current_version: take_version(&mut members)?.ok_or_else(|| members.missing("CurrentVersion"))?,
            device_name: take_device_name(&mut members)?,
            media_type: take_media_type(&mut members)?,
        })
    }
}

/// Request of UpdateDataRetention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateDataRetention {
    /// The stream.
    pub stream: StreamReference,
    /// The version that the change is made to.
    pub current_version: StreamVersion,
    /// The change.
    pub change: RetentionChange,
}

/// By how many hours the retention changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetentionChange {
    /// `INCREASE_DATA_RETENTION`
    Increase(u32),
    /// `DECREASE_DATA_RETENTION`
    Decrease(u32),
}

impl RetentionChange {
    /// The retention that `hours` become.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) where that is less than 0 or more than 87,600 hours.
    pub fn apply(self, hours: u32) -> Result<u32, ServiceError> {
        let (changed, by) = match self {
            Self::Increase(by) => (hours.checked_add(by).filter(|hours| *hours <= MAX_RETENTION_HOURS), by),
            Self::Decrease(by) => (hours.checked_sub(by), by),
        };
        changed.ok_or_else(|| {
            let expected = format!("a retention from 0 to {MAX_RETENTION_HOURS} hours after the change");
            let found = match self {
                Self::Increase(_) => format!("{hours} hours increased by {by}"),
                Self::Decrease(_) => format!("{hours} hours decreased by {by}"),
            };
            ServiceError::constraint("DataRetentionChangeInHours", expected, found)
        })
    }
}

impl UpdateDataRetention {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        let stream = StreamReference::take(&mut members)?;
        let current_version = take_version(&mut members)?.ok_or_else(|| members.missing("CurrentVersion"))?;
        let change: fn(u32) -> RetentionChange = members
            .choice::<fn(u32) -> RetentionChange>(
                "Operation",
                &[
                    ("INCREASE_DATA_RETENTION", RetentionChange::Increase),
                    ("DECREASE_DATA_RETENTION", RetentionChange::Decrease),
                ],
            )?
            .ok_or_else(|| members.missing("Operation"))?;
        // More than the longest retention is refused by the sum, which names both numbers.
        let hours = members
            .integer("DataRetentionChangeInHours", 1..=u32::MAX.into())?
            .and_then(|hours| u32::try_from(hours).ok())
            .ok_or_else(|| members.missing("DataRetentionChangeInHours"))?;
        Ok(Self { stream, current_version, change: change(hours) })
    }
}

/// Request of DeleteStream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteStream {
    /// The stream: the model has its ARN only.
    pub arn: Arn,
    /// The version to delete; without it, whatever the version is.
    pub current_version: Option<StreamVersion>,
}

impl DeleteStream {
    /// Parses the body of a request.
    ///
    /// # Errors
    /// [`InvalidArgument`](super::Exception::InvalidArgument) naming the member that breaks a constraint.
    pub fn parse(body: &[u8]) -> Result<Self, ServiceError> {
        let mut members = Members::parse(body)?;
        let arn = members.parsed("StreamARN", Arn::parse)?.ok_or_else(|| members.missing("StreamARN"))?;
        Ok(Self { arn, current_version: take_version(&mut members)? })
    }
}

fn take_version(members: &mut Members) -> Result<Option<StreamVersion>, ServiceError> {
    members.parsed("CurrentVersion", StreamVersion::parse)
}

fn take_device_name(members: &mut Members) -> Result<Option<String>, ServiceError> {
    members.parsed("DeviceName", |member, text| {
        check_string(member, &text, 1..=128, "letters, digits, '_', '.' and '-'", is_name_character)?;
        Ok(text)
    })
}

/// `[\w\-\.\+]+/[\w\-\.\+]+`, and more of these after commas.
fn take_media_type(members: &mut Members) -> Result<Option<String>, ServiceError> {
    let is_part = |part: &str| !part.is_empty() && part.chars().all(|c| is_name_character(c) || c == '+');
    members.parsed("MediaType", |member, text| {
        check_string(member, &text, 1..=128, "ASCII characters", |c| c.is_ascii())?;
        let is_type = |text: &str| {
            text.split_once('/').is_some_and(|(kind, subtype)| is_part(kind) && is_part(subtype))
        };
        if text.split(',').all(is_type) {
            Ok(text)
        } else {
            let expected = "media types such as video/h264,audio/aac";
            Err(ServiceError::constraint(member, expected, shown(&text)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(members: &str) -> Result<CreateStream, String> {
        let body = format!(r#"{{"StreamName": "door"{members}}}"#);
        CreateStream::parse(body.as_bytes()).map_err(|error| error.message().to_owned())
    }

    #[test]
    fn create_stream() {
        let request = create(
            r#", "DeviceName": "cam", "MediaType": "video/h264,audio/aac", "KmsKeyId": "alias/x",
            "DataRetentionInHours": 24, "Tags": {"a": "b"},
            "StreamStorageConfiguration": {"DefaultStorageTier": "WARM"}"#,
        )
        .unwrap();
        assert_eq!((request.retention_hours, request.storage_tier), (24, Some("WARM")));
        assert_eq!(request.media_type.as_deref(), Some("video/h264,audio/aac"));
        assert_eq!(create("").unwrap().retention_hours, 0);
        let error = CreateStream::parse(b"{}").unwrap_err();
        assert_eq!(error.message(), "StreamName is required");
        for (members, message) in [
            (r#""DeviceName": """#, "DeviceName: expected 1 to 128 characters, found 0"),
            (
                r#""DeviceName": "a b""#,
                "DeviceName: expected only letters, digits, '_', '.' and '-', found ' '",
            ),
            (
                r#""MediaType": "video""#,
                "MediaType: expected media types such as video/h264,audio/aac, found \"video\"",
            ),
            (
                r#""MediaType": "video/a,""#,
                "MediaType: expected media types such as video/h264,audio/aac, found \"video/a,\"",
            ),
            (
                r#""MediaType": "a/b/c""#,
                "MediaType: expected media types such as video/h264,audio/aac, found \"a/b/c\"",
            ),
            (r#""KmsKeyId": """#, "KmsKeyId: expected 1 to 2048 characters, found 0"),
            (
                r#""DataRetentionInHours": -1"#,
                "DataRetentionInHours: expected an integer from 0 to 87600, found -1",
            ),
            (
                r#""DataRetentionInHours": 87601"#,
                "DataRetentionInHours: expected an integer from 0 to 87600, found 87601",
            ),
            (
                r#""StreamStorageConfiguration": {}"#,
                "StreamStorageConfiguration.DefaultStorageTier is required",
            ),
            (
                r#""StreamStorageConfiguration": {"DefaultStorageTier": "COLD"}"#,
                "StreamStorageConfiguration.DefaultStorageTier: expected one of HOT, WARM, found \"COLD\"",
            ),
        ] {
            assert_eq!(create(&format!(", {members}")), Err(message.into()));
        }
    }

    #[test]
    fn describe_has_no_empty_members() {
        let name = StreamName::parse("StreamName", "door".into()).unwrap();
        let info = StreamInfo {
            arn: Arn::new("us-east-1", "000000000000", name, 1_700_000_000_123),
            device_name: None,
            media_type: Some("video/h264".into()),
            kms_key_id: None,
            version: "v1".into(),
            retention_hours: 2,
        };
        assert_eq!(
            DescribeStream::response(info).to_string(),
            r#"{"StreamInfo":{"CreationTime":1700000000.123,"DataRetentionInHours":2,"MediaType":"video/h264","Status":"ACTIVE","StreamARN":"arn:aws:kinesisvideo:us-east-1:000000000000:stream/door/1700000000123","StreamName":"door","Version":"v1"}}"#
        );
    }

    #[test]
    fn list_streams() {
        let parse =
            |body: &str| ListStreams::parse(body.as_bytes()).map_err(|error| error.message().to_owned());
        let all = parse("{}").unwrap();
        assert_eq!((all.max_results, all.token, all.prefix), (10_000, None, None));
        let some = parse(
            r#"{"MaxResults": 3, "NextToken": "ab=", "StreamNameCondition":
            {"ComparisonOperator": "BEGINS_WITH", "ComparisonValue": "cam-"}}"#,
        )
        .unwrap();
        assert_eq!((some.max_results, some.prefix.unwrap().as_str()), (3, "cam-"));
        assert!(parse(r#"{"MaxResults": 10001}"#).is_err());
        assert_eq!(
            parse(r#"{"StreamNameCondition": {"ComparisonOperator": "EQUALS"}}"#),
            Err("StreamNameCondition.ComparisonOperator: expected one of BEGINS_WITH, found \"EQUALS\""
                .into())
        );
    }

    #[test]
    fn retention_changes_stay_in_bounds() {
        assert_eq!(RetentionChange::Increase(5).apply(10), Ok(15));
        assert_eq!(RetentionChange::Decrease(10).apply(10), Ok(0));
        assert_eq!(RetentionChange::Increase(87_600).apply(0), Ok(87_600));
        assert_eq!(
            RetentionChange::Decrease(11).apply(10).unwrap_err().message(),
            "DataRetentionChangeInHours: expected a retention from 0 to 87600 hours after the change, found 10 hours \
             decreased by 11"
        );
        assert!(RetentionChange::Increase(87_600).apply(1).is_err());
        assert!(RetentionChange::Increase(u32::MAX).apply(1).is_err());
    }

    #[test]
    fn changes_name_a_version() {
        let message =
            |body: &str| UpdateDataRetention::parse(body.as_bytes()).unwrap_err().message().to_owned();
        let door = r#""StreamName": "door""#;
        assert_eq!(message(&format!("{{{door}}}")), "CurrentVersion is required");
        assert_eq!(
            message(&format!(r#"{{{door}, "CurrentVersion": "a-b"}}"#)),
            "CurrentVersion: expected only letters and digits, found '-'"
        );
        assert_eq!(message(&format!(r#"{{{door}, "CurrentVersion": "v"}}"#)), "Operation is required");
        let body = format!(
            r#"{{{door}, "CurrentVersion": "v", "Operation": "DECREASE_DATA_RETENTION", "DataRetentionChangeInHours": 2}}"#
        );
        assert_eq!(UpdateDataRetention::parse(body.as_bytes()).unwrap().change, RetentionChange::Decrease(2));
        assert_eq!(
            message(&body.replace(": 2", ": 0")),
            "DataRetentionChangeInHours: expected an integer from 1 to 4294967295, found 0"
        );
        assert_eq!(
            message(&body.replace("DECREASE", "SHRINK")),
            "Operation: expected one of INCREASE_DATA_RETENTION, DECREASE_DATA_RETENTION, found \"SHRINK_DATA_RETENTION\""
        );
        assert_eq!(
            UpdateStream::parse(format!("{{{door}}}").as_bytes()).unwrap_err().message(),
            "CurrentVersion is required"
        );
        assert_eq!(DeleteStream::parse(b"{}").unwrap_err().message(), "StreamARN is required");
    }
}
