//! [`Credentials`]: who may sign requests, and what for.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;

/// What a request does to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Describes it, lists it, gets its media.
    Read,
    /// Creates it, changes it, deletes it, puts media.
    Write,
}

/// The keys of a credentials file.
///
/// ```toml
/// [[key]]
/// access_key_id = "AKIAIOSFODNN7EXAMPLE"
/// secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
///
/// [[key]]
/// access_key_id = "viewer"
/// secret_access_key = "another secret of at least 16 characters"
/// permissions = ["read"]              # without it: read and write
/// streams = ["front-door", "cam-*"]   # without it: all streams; a star at the end stands for any rest
/// session_token = "..."               # without it: whatever token a request carries
/// ```
#[derive(Debug, Clone, Default)]
pub struct Credentials {
    keys: HashMap<String, Arc<Key>>,
}

/// One key, and what it may do.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    id: String,
    secret: String,
    session_token: Option<String>,
    permissions: Vec<Permission>,
    streams: Option<Vec<String>>,
}

/// Why a credentials file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialsError(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    key: Vec<FileKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileKey {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    permissions: Option<Vec<Permission>>,
    streams: Option<Vec<String>>,
}

/// A shorter secret can be found by trying.
const SHORTEST_SECRET: usize = 16;

impl Credentials {
    /// Parses the text of a credentials file.
    ///
    /// # Errors
    /// [`CredentialsError`] if it is no TOML of the form above, has no key, has one twice, or a secret is shorter than
    /// 16 characters.
    pub fn parse(text: &str) -> Result<Self, CredentialsError> {
        // The error of the parser shows the line, which may be that of a secret.
        let file: File =
            toml::from_str(text).map_err(|error| CredentialsError(error.message().to_owned()))?;
        if file.key.is_empty() {
            return Err(CredentialsError("expected at least one [[key]], found none".into()));
        }
        let mut keys = HashMap::new();
        for key in file.key {
            let key = Key::new(key)?;
            if let Some(twice) = keys.insert(key.id.clone(), Arc::new(key)) {
                return Err(CredentialsError(format!("key {:?} is there twice", twice.id)));
            }
        }
        Ok(Self { keys })
    }

    /// The key of an ID.
    pub fn key(&self, id: &str) -> Option<&Arc<Key>> {
        self.keys.get(id)
    }
}

impl Key {
    fn new(key: FileKey) -> Result<Self, CredentialsError> {
        let FileKey { access_key_id: id, secret_access_key: secret, session_token, permissions, streams } =
            key;
        let fault = |what: &str| Err(CredentialsError(format!("key {id:?}: {what}")));
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_graphic()) {
            return fault("expected an access_key_id of printable ASCII characters");
        }
        if secret.len() < SHORTEST_SECRET {
            return fault("expected a secret_access_key of at least 16 characters");
        }
        let permissions = permissions.unwrap_or_else(|| vec![Permission::Read, Permission::Write]);
        Ok(Self { id, secret, session_token, permissions, streams })
    }

    /// Its ID.
    pub fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    pub(super) fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }

    /// Whether it may do something at all.
    pub fn has(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// Whether it may do it to the stream `name`.
    pub fn may(&self, permission: Permission, name: &str) -> bool {
        let is_its = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == pattern,
        };
        self.has(permission) && self.streams.as_ref().is_none_or(|streams| streams.iter().any(is_its))
    }
}

/// Without the secrets.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("permissions", &self.permissions)
            .field("streams", &self.streams)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CredentialsError {}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

    fn parse(members: &str) -> Result<Credentials, String> {
        Credentials::parse(&format!("[[key]]\naccess_key_id = 'k'\n{members}"))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_key_may_do_everything_unless_it_is_said() {
        let credentials = parse(&format!("secret_access_key = '{SECRET}'")).unwrap();
        let key = credentials.key("k").unwrap();
        assert!(key.may(Permission::Read, "door") && key.may(Permission::Write, "gate"));
        assert!(credentials.key("K").is_none());
    }

    #[test]
    fn streams_and_permissions() {
        let limits = "permissions = ['read']\nstreams = ['door', 'cam-*']";
        let credentials = parse(&format!("secret_access_key = '{SECRET}'\n{limits}")).unwrap();
        let key = credentials.key("k").unwrap();
        assert!(key.has(Permission::Read) && !key.has(Permission::Write));
        for (name, may) in
            [("door", true), ("doors", false), ("cam-", true), ("cam-7", true), ("camera", false)]
        {
            assert_eq!(key.may(Permission::Read, name), may, "{name}");
            assert!(!key.may(Permission::Write, name), "{name}");
        }
    }

    #[test]
    fn faults_are_named_without_a_secret() {
        let secret = format!("secret_access_key = '{SECRET}'");
        for (members, message) in [
            (
                "secret_access_key = 'too short'",
                "key \"k\": expected a secret_access_key of at least 16 characters",
            ),
            (&*format!("{secret}\n[[key]]\naccess_key_id = 'k'\n{secret}"), "key \"k\" is there twice"),
            (
                &*format!("{secret}\n[[key]]\naccess_key_id = ''\n{secret}"),
                "key \"\": expected an access_key_id of printable ASCII characters",
            ),
            ("", "missing field `secret_access_key`"),
        ] {
            assert_eq!(parse(members).unwrap_err(), message);
        }
        assert_eq!(
            Credentials::parse("").unwrap_err().to_string(),
            "expected at least one [[key]], found none"
        );
        let error = parse(&format!("{secret} x")).unwrap_err();
        assert!(!error.contains(SECRET), "{error}");
        assert!(parse(&format!("{secret}\npermission = ['read']")).unwrap_err().contains("permission"));
        assert!(!format!("{:?}", parse(&secret).unwrap()).contains(SECRET));
    }
}
