//! [`StreamInfo`]: a stream as DescribeStream returns it, and changes of it.

use std::collections::BTreeMap;

use getclip::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::stream::{Retention, StreamName, StreamVersion};

/// A stream at the time it was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamInfo {
    pub(super) name: StreamName,
    pub(super) version: StreamVersion,
    pub(super) created_ms: i64,
    pub(super) properties: Properties,
}

/// Stored properties of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Properties {
    pub(super) retention: Retention,
    /// Set by a change of retention: what it dropped stays lost, however long the retention becomes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) dropped_before: Option<Dropped>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) device_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) media_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kms_key_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) storage_tier: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub(super) tags: BTreeMap<String, String>,
}

/// A change of retention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Dropped {
    /// Earlier server times were dropped, in milliseconds since 1970.
    pub(super) server_ms: i64,
    /// Time of the change, in milliseconds since 1970.
    pub(super) at_ms: i64,
}

impl StreamInfo {
    /// `StreamName`.
    pub fn name(&self) -> &StreamName {
        &self.name
    }

    /// `Version`.
    pub fn version(&self) -> &StreamVersion {
        &self.version
    }

    /// `CreationTime`.
    pub fn created(&self) -> Timestamp {
        Timestamp::from_millis(self.created_ms)
    }

    /// `DataRetentionInHours`.
    pub fn retention(&self) -> Retention {
        self.properties.retention
    }

    /// `DeviceName`.
    pub fn device_name(&self) -> Option<&str> {
        self.properties.device_name.as_deref()
    }

    /// `MediaType`.
    pub fn media_type(&self) -> Option<&str> {
        self.properties.media_type.as_deref()
    }

    /// `KmsKeyId`. It is stored and returned, but encrypts nothing.
    pub fn kms_key_id(&self) -> Option<&str> {
        self.properties.kms_key_id.as_deref()
    }

    /// `DefaultStorageTier`. It is stored and returned, without effect.
    pub fn storage_tier(&self) -> Option<&str> {
        self.properties.storage_tier.as_deref()
    }

    /// The stream's tags.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.properties.tags
    }

    /// The earliest server timestamp that is found at the time `now`, or `None` if all are.
    pub fn retained_since(&self, now: Timestamp) -> Option<Timestamp> {
        let dropped = self.properties.dropped_before.map(|dropped| Timestamp::from_millis(dropped.server_ms));
        self.properties.retention.since(now).max(dropped)
    }

    /// The earliest server timestamp whose objects are kept at the time `now`. Clips under way may need objects that have
    /// not been found for less than `grace_ms`.
    pub(crate) fn kept_since(&self, now: Timestamp, grace_ms: i64) -> Option<Timestamp> {
        let expired = self.properties.retention.since(now.saturating_add_millis(-grace_ms));
        let settled = |dropped: &Dropped| dropped.at_ms.saturating_add(grace_ms) <= now.as_millis();
        let dropped = self.properties.dropped_before.filter(settled);
        expired.max(dropped.map(|dropped| Timestamp::from_millis(dropped.server_ms)))
    }

    pub(crate) fn created_ms(&self) -> i64 {
        self.created_ms
    }
}

/// A stream to be created.
#[derive(Debug, Clone)]
pub struct NewStream {
    pub(super) name: StreamName,
    pub(super) properties: Properties,
}

impl NewStream {
    /// A stream of a name, with a retention.
    pub fn new(name: StreamName, retention: Retention) -> Self {
        let properties = Properties {
            retention,
            dropped_before: None,
            device_name: None,
            media_type: None,
            kms_key_id: None,
            storage_tier: None,
            tags: BTreeMap::new(),
        };
        Self { name, properties }
    }

    /// `DeviceName`.
    pub fn device_name(mut self, device_name: Option<String>) -> Self {
        self.properties.device_name = device_name;
        self
    }

    /// `MediaType`.
    pub fn media_type(mut self, media_type: Option<String>) -> Self {
        self.properties.media_type = media_type;
        self
    }

    /// `KmsKeyId`.
    pub fn kms_key_id(mut self, kms_key_id: Option<String>) -> Self {
        self.properties.kms_key_id = kms_key_id;
        self
    }

    /// `DefaultStorageTier`.
    pub fn storage_tier(mut self, storage_tier: Option<String>) -> Self {
        self.properties.storage_tier = storage_tier;
        self
    }

    /// Tags, at most 50.
    pub fn tags(mut self, tags: BTreeMap<String, String>) -> Self {
        self.properties.tags = tags;
        self
    }
}

/// A change of a stream. Properties that are not set stay as they are.
#[derive(Debug, Clone, Default)]
pub struct StreamChange {
    retention: Option<Retention>,
    device_name: Option<String>,
    media_type: Option<String>,
    set_tags: BTreeMap<String, String>,
    remove_tags: Vec<String>,
}

impl StreamChange {
    /// A change without effect.
    pub fn new() -> Self {
        Self::default()
    }

    /// Retention. Fragments that it drops are not found from this moment on, even if a later change lengthens it again.
    pub fn retention(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }

    /// `DeviceName`; `None` leaves it.
    pub fn device_name(mut self, device_name: Option<String>) -> Self {
        self.device_name = device_name;
        self
    }

    /// `MediaType`; `None` leaves it.
    pub fn media_type(mut self, media_type: Option<String>) -> Self {
        self.media_type = media_type;
        self
    }

    /// Tags to set: `TagStream`.
    pub fn set_tags(mut self, tags: BTreeMap<String, String>) -> Self {
        self.set_tags = tags;
        self
    }

    /// Tags to remove: `UntagStream`.
    pub fn remove_tags(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.remove_tags = keys.into_iter().collect();
        self
    }

    /// The properties of `stream` after the change at the time `now`.
    pub(super) fn apply(&self, stream: &StreamInfo, now: Timestamp) -> Result<Properties, Error> {
        let mut properties = stream.properties.clone();
        if let Some(retention) = self.retention {
            let server = stream.retained_since(now).max(retention.since(now));
            properties.dropped_before =
                server.map(|server| Dropped { server_ms: server.as_millis(), at_ms: now.as_millis() });
            properties.retention = retention;
        }
        if let Some(device_name) = &self.device_name {
            properties.device_name = Some(device_name.clone());
        }
        if let Some(media_type) = &self.media_type {
            properties.media_type = Some(media_type.clone());
        }
        properties.tags.extend(self.set_tags.clone());
        for key in &self.remove_tags {
            properties.tags.remove(key);
        }
        properties.check(&stream.name)?;
        Ok(properties)
    }
}

impl Properties {
    const MAX_TAGS: usize = 50;

    pub(super) fn check(&self, stream: &StreamName) -> Result<(), Error> {
        if self.tags.len() > Self::MAX_TAGS {
            return Err(Error::TooManyTags { stream: stream.clone(), count: self.tags.len() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    fn stream(retention: Retention) -> StreamInfo {
        let new = NewStream::new("s".parse().unwrap(), retention);
        StreamInfo {
            name: new.name,
            version: StreamVersion::new(1, 1),
            created_ms: 0,
            properties: new.properties,
        }
    }

    #[test]
    fn what_a_shorter_retention_drops_stays_lost() {
        let hours = |hours| Retention::from_hours(hours).unwrap();
        let now = Timestamp::from_millis(1000 * HOUR);
        let mut stream = stream(hours(100));
        assert_eq!(stream.retained_since(now), Some(Timestamp::from_millis(900 * HOUR)));
        stream.properties = StreamChange::new().retention(hours(10)).apply(&stream, now).unwrap();
        assert_eq!(stream.retained_since(now), Some(Timestamp::from_millis(990 * HOUR)));
        stream.properties = StreamChange::new().retention(hours(500)).apply(&stream, now).unwrap();
        assert_eq!(stream.retained_since(now), Some(Timestamp::from_millis(990 * HOUR)));
        let later = Timestamp::from_millis(2000 * HOUR);
        assert_eq!(stream.retained_since(later), Some(Timestamp::from_millis(1500 * HOUR)));
    }

    #[test]
    fn objects_outlive_what_is_found_by_the_grace_period() {
        let hours = |hours| Retention::from_hours(hours).unwrap();
        let now = Timestamp::from_millis(1000 * HOUR);
        let mut stream = stream(hours(100));
        assert_eq!(stream.kept_since(now, HOUR), Some(Timestamp::from_millis(899 * HOUR)));
        stream.properties = StreamChange::new().retention(hours(10)).apply(&stream, now).unwrap();
        assert_eq!(stream.kept_since(now, HOUR), Some(Timestamp::from_millis(989 * HOUR)));
        stream.properties = StreamChange::new().retention(hours(500)).apply(&stream, now).unwrap();
        assert_eq!(stream.kept_since(now, HOUR), Some(Timestamp::from_millis(499 * HOUR)));
        let later = now.saturating_add_millis(HOUR);
        assert_eq!(stream.kept_since(later, HOUR), Some(Timestamp::from_millis(990 * HOUR)));
        stream.properties.retention = Retention::Forever;
        stream.properties.dropped_before = None;
        assert_eq!(stream.kept_since(later, HOUR), None);
    }

    #[test]
    fn changes_leave_what_they_do_not_name() {
        let mut stream = stream(Retention::Forever);
        let tags = |keys: &[&str]| keys.iter().map(|key| ((*key).to_owned(), "v".to_owned())).collect();
        let change = StreamChange::new().device_name(Some("d".to_owned())).set_tags(tags(&["a", "b"]));
        stream.properties = change.apply(&stream, Timestamp::from_millis(0)).unwrap();
        let change =
            StreamChange::new().media_type(Some("video/h264".to_owned())).remove_tags(["a".to_owned()]);
        stream.properties = change.apply(&stream, Timestamp::from_millis(0)).unwrap();
        assert_eq!(stream.device_name(), Some("d"));
        assert_eq!(stream.media_type(), Some("video/h264"));
        assert_eq!(stream.tags(), &tags(&["b"]));
        assert_eq!(stream.retention(), Retention::Forever);
        let many: BTreeMap<_, _> = (0..50).map(|n| (n.to_string(), String::new())).collect();
        let error = StreamChange::new().set_tags(many).apply(&stream, Timestamp::from_millis(0)).unwrap_err();
        assert!(matches!(error, Error::TooManyTags { count: 51, .. }), "{error:?}");
    }
}
