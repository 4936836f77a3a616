//! GetClip on the wire: streams of fragments kept in an object store, served to unmodified AWS clients.
//!
//! ```text
//! socket ─▶ listener ─▶ http ─▶ sigv4 ─▶ model ─▶ operations ─▶ getclip-archive ─▶ getclip
//!           TLS, limits  routes  who asks  what for  what is done   stored fragments  the clip
//! ```
//!
//! ```no_run
//! use getclip_archive::Archive;
//! use getclip_server::http::{Server, Settings};
//! use getclip_server::listener::{self, ConnectionLimits};
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let archive = Archive::open("./archive", getclip_archive::Settings::default()).await?;
//! let router = Server::new(archive, Settings::default()).router();
//! let socket = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! listener::serve(socket, None, router, ConnectionLimits::default(), std::future::pending()).await?;
//! # Ok(())
//! # }
//! ```
//!
//! PutMedia is beside that path: its body has no end, and goes through a session of its own to the archive.
//!
//! [`http::Server`] is a router of axum, so that it can be part of another program. [`listener`] is what a server on its
//! own needs around it. [`model`] has the requests and responses of the service, [`sigv4`] its signatures; neither knows
//! HTTP servers or archives.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)
)]

pub mod http;
mod ingest;
pub mod listener;
mod metrics;
pub mod model;
mod operations;
mod page;
pub mod sigv4;
