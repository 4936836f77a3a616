//! Signature version 4 of AWS, verified as a service does it.
//!
//! A request is authentic if the signature that it carries is the one that the key's secret makes of it. It may stand
//! in the header `Authorization` or, as a link that expires, in the query. What real clients send differs in detail,
//! and all of it is taken: which headers are signed, a body hash in a header or not, `UNSIGNED-PAYLOAD` or the hash of
//! nothing for a body that is streamed, a session token signed or not.
//!
//! Nothing here tells a client why it was refused: [`Refusal`] is for the log.

mod canonical;
mod credentials;
mod presign;
mod scope;
mod signature;
mod verify;

pub(crate) use canonical::percent_decode;
pub use credentials::{Credentials, CredentialsError, Key, Permission};
pub use presign::{LONGEST_EXPIRY, presign};
pub use verify::{Payload, Refusal, Verifier};
