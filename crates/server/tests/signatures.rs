//! Requests of real clients, as `signatures/record.py` took them off the wire, against the verifier.

use std::path::Path;

use getclip::Timestamp;
use getclip_server::sigv4::{Credentials, Payload, Refusal, Verifier, presign};
use http::Request;
use http::request::Parts;

/// The keys of AWS's documentation, which the requests were recorded with.
const KEYS: &str = "[[key]]
access_key_id = 'AKIAIOSFODNN7EXAMPLE'
secret_access_key = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'";

const TOKEN: &str = "a session+token/==";

const RECORDED: [&str; 11] = [
    "awscli-1",
    "awscli-2",
    "boto3",
    "boto3-session-token",
    "curl-put-media",
    "javascript-v3",
    "link",
    "link-session-token",
    "producer-c-form",
    "producer-go-form",
    "producer-java-form",
];

struct Recorded {
    name: &'static str,
    parts: Parts,
    body: Vec<u8>,
}

impl Recorded {
    fn read(name: &'static str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/signatures/{name}.http"));
        let bytes = std::fs::read(path).unwrap();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap().split(' ');
        let mut request = Request::builder().method(words.next().unwrap()).uri(words.next().unwrap());
        for line in lines {
            let (header, value) = line.split_once(':').unwrap();
            request = request.header(header, value.trim());
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Self { name, parts, body: bytes[end + 4..].to_vec() }
    }

    fn all() -> impl Iterator<Item = Self> {
        RECORDED.into_iter().map(Self::read)
    }

    fn is_link(&self) -> bool {
        self.name.starts_with("link")
    }

    fn is_json(&self) -> bool {
        self.parts.headers.get("content-type").is_some_and(|kind| kind == "application/json")
    }

    /// What the server would hand over: JSON operations read the body first, PutMedia and links have none.
    fn payload(&self) -> Payload<'_> {
        if self.is_json() { Payload::Body(&self.body) } else { Payload::Unsigned }
    }

    /// When it was recorded.
    fn time(&self) -> Timestamp {
        let query = self.parts.uri.query().unwrap_or_default();
        let header = self.parts.headers.get("x-amz-date").map(|value| value.to_str().unwrap());
        let text = header.unwrap_or_else(|| &query.split("X-Amz-Date=").nth(1).unwrap()[..16]);
        let at = |from: usize, len: usize| &text[from..from + len];
        format!("{}-{}-{}T{}:{}:{}Z", at(0, 4), at(4, 2), at(6, 2), at(9, 2), at(11, 2), at(13, 2))
            .parse()
            .unwrap()
    }

    fn verify(&self, keys: &str) -> Result<String, Refusal> {
        self.verify_at(keys, self.time())
    }

    fn verify_at(&self, keys: &str, now: Timestamp) -> Result<String, Refusal> {
        let verifier = Verifier::new(Credentials::parse(keys).unwrap());
        verifier.verify(&self.parts, self.payload(), now).map(|key| key.id().to_owned())
    }

    fn set_uri(&mut self, uri: &str) {
        self.parts.uri = uri.parse().unwrap();
    }
}

#[test]
fn every_client_is_believed() {
    for request in Recorded::all() {
        assert_eq!(request.verify(KEYS), Ok("AKIAIOSFODNN7EXAMPLE".into()), "{}", request.name);
    }
}

#[test]
fn another_secret_or_key_is_not() {
    for request in Recorded::all() {
        let other = KEYS.replace("wJalr", "wJalR");
        assert_eq!(
            request.verify(&other),
            Err(Refusal::Signature("AKIAIOSFODNN7EXAMPLE".into())),
            "{}",
            request.name
        );
        let unknown = KEYS.replace("AKIA", "BKIA");
        assert_eq!(
            request.verify(&unknown),
            Err(Refusal::UnknownKey("AKIAIOSFODNN7EXAMPLE".into())),
            "{}",
            request.name
        );
    }
}

#[test]
fn whatever_is_changed_is_noticed() {
    for mut request in Recorded::all() {
        let name = request.name;
        let wrong = Err(Refusal::Signature("AKIAIOSFODNN7EXAMPLE".into()));
        let whole = request.parts.clone();

        request.set_uri(&whole.uri.to_string().replacen("i", "I", 1));
        assert_eq!(request.verify(KEYS), wrong, "{name}: path");
        let separator = if whole.uri.query().is_some() { '&' } else { '?' };
        request.set_uri(&format!("{}{separator}a=b", whole.uri));
        assert_eq!(request.verify(KEYS), wrong, "{name}: query");
        request.parts = whole.clone();
        request.parts.method = http::Method::PUT;
        assert_eq!(request.verify(KEYS), wrong, "{name}: method");
        request.parts = whole.clone();
        request.parts.headers.insert("host", "elsewhere".parse().unwrap());
        assert_eq!(request.verify(KEYS), wrong, "{name}: host");
        if whole.headers.contains_key("x-amzn-stream-name") {
            request.parts.headers.insert("x-amzn-stream-name", "back-door".parse().unwrap());
            assert_eq!(request.verify(KEYS), wrong, "{name}: stream");
        }
        request.parts = whole;
        if request.is_json() {
            request.body.push(b' ');
            let refusal = if name == "javascript-v3" { Err(Refusal::Body) } else { wrong };
            assert_eq!(request.verify(KEYS), refusal, "{name}: body");
        }
    }
}

#[test]
fn headers_are_good_for_five_minutes_around_their_date() {
    for request in Recorded::all().filter(|request| !request.is_link()) {
        for (offset, is_good) in [(-300_001, false), (-300_000, true), (300_000, true), (300_001, false)] {
            let now = request.time().saturating_add_millis(offset);
            let verified = request.verify_at(KEYS, now);
            assert_eq!(verified.is_ok(), is_good, "{} {offset}", request.name);
            assert!(is_good || verified == Err(Refusal::Skewed));
        }
    }
}

#[test]
fn links_are_good_until_they_expire() {
    let request = Recorded::read("link");
    let at = |seconds: i64| request.verify_at(KEYS, request.time().saturating_add_millis(seconds * 1000));
    assert!(at(-300).is_ok() && at(3600).is_ok());
    assert_eq!(at(-301), Err(Refusal::Skewed));
    assert_eq!(at(3601), Err(Refusal::Expired));
    let mut longer = Recorded::read("link");
    let uri = longer.parts.uri.to_string();
    longer.set_uri(&uri.replace("X-Amz-Expires=3600", "X-Amz-Expires=7200"));
    assert!(matches!(longer.verify(KEYS), Err(Refusal::Signature(_))));
    for expires in ["0", "604801", "-1", ""] {
        longer.set_uri(&uri.replace("X-Amz-Expires=3600", &format!("X-Amz-Expires={expires}")));
        assert!(matches!(longer.verify(KEYS), Err(Refusal::Malformed(_))), "{expires}");
    }
    longer.set_uri(&format!("{uri}&X-Amz-Expires=7200"));
    assert_eq!(longer.verify(KEYS), Err(Refusal::Malformed("expected each parameter once")));
}

#[test]
fn a_link_to_get_is_one_to_head() {
    let mut request = Recorded::read("link");
    request.parts.method = http::Method::HEAD;
    assert!(request.verify(KEYS).is_ok());
    request.parts.method = http::Method::POST;
    assert!(request.verify(KEYS).is_err());
}

#[test]
fn what_put_media_does_is_signed() {
    for name in ["curl-put-media", "producer-c-form", "producer-go-form", "producer-java-form"] {
        let mut request = Recorded::read(name);
        request.parts.headers.insert("x-amzn-stream-arn", "added".parse().unwrap());
        assert!(matches!(request.verify(KEYS), Err(Refusal::Malformed(_))), "{name}");
    }
}

#[test]
fn a_session_token_is_compared_where_the_key_has_one() {
    let with_token = |token: &str| format!("{KEYS}\nsession_token = '{token}'");
    let wrong = Err(Refusal::SessionToken("AKIAIOSFODNN7EXAMPLE".into()));
    for name in ["boto3-session-token", "link-session-token"] {
        let request = Recorded::read(name);
        assert!(request.verify(&with_token(TOKEN)).is_ok(), "{name}");
        assert_eq!(request.verify(&with_token("another")), wrong, "{name}");
    }
    assert_eq!(Recorded::read("boto3").verify(&with_token(TOKEN)), wrong);
}

#[test]
fn what_is_no_signature_is_refused() {
    let mut request = Recorded::read("boto3");
    let whole = request.parts.headers["authorization"].to_str().unwrap().to_owned();
    for (from, to) in [
        ("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256-X "),
        ("Credential=", "Credentials="),
        ("aws4_request", "aws5_request"),
        ("content-type;host;x-amz-date", "host;content-type;x-amz-date"),
        ("content-type;host;x-amz-date", "content-type;host;x-amz-absent"),
        ("content-type;host;x-amz-date", "content-type;x-amz-date"),
        ("SignedHeaders=", "Headers="),
        ("Signature=", "Signature=0"),
        ("/20", "/30"),
    ] {
        request.parts.headers.insert("authorization", whole.replacen(from, to, 1).parse().unwrap());
        assert!(matches!(request.verify(KEYS), Err(Refusal::Malformed(_))), "{to}");
    }
    request.parts.headers.insert("authorization", whole.replace("/kinesisvideo/", "/s3/").parse().unwrap());
    assert_eq!(request.verify(KEYS), Err(Refusal::Service));
    request.parts.headers.remove("authorization");
    assert_eq!(request.verify(KEYS), Err(Refusal::NotSigned));
}

#[test]
fn links_of_this_crate_are_those_of_botocore() {
    let recorded = Recorded::read("link-session-token");
    let credentials = Credentials::parse(&format!("{KEYS}\nsession_token = '{TOKEN}'")).unwrap();
    let query = presign(
        credentials.key("AKIAIOSFODNN7EXAMPLE").unwrap(),
        "eu-central-1",
        "127.0.0.1:8080",
        "/streams/front-door/clip.mp4",
        "start=1&end=2",
        recorded.time(),
        std::time::Duration::from_secs(604_800),
    );
    let sorted = |query: &str| {
        let mut pairs: Vec<_> = query.split('&').map(str::to_owned).collect();
        pairs.sort();
        pairs
    };
    assert_eq!(sorted(&query), sorted(recorded.parts.uri.query().unwrap()));
}
