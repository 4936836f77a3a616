//! Connections: accepted, limited, encrypted, and finished when the server stops.

mod stall;
mod tls;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower_service::Service;
use tracing::{debug, warn};

use self::stall::StallTimeout;
pub use self::tls::{Tls, TlsError};

/// Limits of connections. A request that is within them costs no thread, however slow its client is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConnectionLimits {
    /// The most connections at a time. Further ones wait in the system's queue.
    pub connections: NonZeroUsize,
    /// The most bytes in the head of a request.
    pub head_bytes: usize,
    /// How long the head of a request may take, and how long a connection may wait for its next request.
    pub head_time: Duration,
    /// How long a client may take nothing of a response.
    pub stall_time: Duration,
    /// How long responses under way may take when the server stops.
    pub shutdown_time: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: NonZeroUsize::new(4096).unwrap_or(NonZeroUsize::MIN),
            head_bytes: 64 * 1024,
            head_time: Duration::from_secs(30),
            stall_time: Duration::from_secs(120),
            shutdown_time: Duration::from_secs(60),
        }
    }
}

/// The two ends of the connection that a request came over: an extension of each request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// Address of the client, or of the proxy before it.
    pub peer: SocketAddr,
    /// Address that the client connected to.
    pub local: SocketAddr,
    /// Whether the connection is encrypted.
    pub is_tls: bool,
}

/// How long to wait where no connection can be accepted because the process has too many files open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` is done; then lets responses under way finish, for as long as the limits allow.
///
/// # Errors
/// Only what makes the listening socket useless. A connection that fails is that connection's affair.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Tls>,
    router: Router,
    limits: ConnectionLimits,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let slots = Arc::new(Semaphore::new(limits.connections.get()));
    let graceful = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time)
        .max_buf_size((limits.head_bytes / 2).max(MIN_BUFFER))
        .max_headers(100);
    tokio::pin!(stop);
    loop {
        let accepted = async {
            // Not closed anywhere: a permit is always had in the end.
            let slot = Arc::clone(&slots).acquire_owned().await.ok();
            (slot, listener.accept().await)
        };
        let (slot, accepted) = tokio::select! {
            () = &mut stop => break,
            accepted = accepted => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                debug!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (builder, watcher) = (builder.clone(), graceful.watcher());
        let (router, tls, limits) = (router.clone(), tls.clone(), limits.clone());
        tokio::spawn(async move {
            let served = async {
                let connection = connection(&stream, peer, tls.is_some())?;
                match tls {
                    None => serve_connection(&builder, watcher, stream, router, connection, &limits).await,
                    Some(tls) => {
                        let stream = tokio::time::timeout(limits.head_time, tls.accept(stream)).await??;
                        serve_connection(&builder, watcher, stream, router, connection, &limits).await
                    }
                }
            };
            if let Err(error) = served.await {
                debug!(%peer, %error, "connection ended early");
            }
            drop(slot);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.shutdown_time, graceful.shutdown()).await.is_err() {
        warn!("responses were still under way when the server stopped");
    }
    Ok(())
}

/// hyper takes no smaller buffer, and fills it once more before it gives a head up.
const MIN_BUFFER: usize = 8192;

fn connection(stream: &TcpStream, peer: SocketAddr, is_tls: bool) -> io::Result<Connection> {
    // Acknowledgements are short lines that somebody waits for.
    stream.set_nodelay(true)?;
    Ok(Connection { peer, local: stream.local_addr()?, is_tls })
}

async fn serve_connection(
    builder: &http1::Builder,
    watcher: Watcher,
    stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
    router: Router,
    connection: Connection,
    limits: &ConnectionLimits,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let service = service_fn(move |request: Request<hyper::body::Incoming>| {
        let mut router = router.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(connection);
            let response: Result<Response<Body>, Infallible> = router.call(request).await;
            response
        }
    });
    let stream = TokioIo::new(StallTimeout::new(stream, limits.stall_time));
    Ok(watcher.watch(builder.serve_connection(stream, service)).await?)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::oneshot;

    use super::*;

    struct Served {
        address: SocketAddr,
        stop: oneshot::Sender<()>,
        task: tokio::task::JoinHandle<io::Result<()>>,
    }

    async fn start(router: Router, limits: ConnectionLimits) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { stopped.await.unwrap_or_default() };
        let task = tokio::spawn(serve(listener, None, router, limits, stopped));
        Served { address, stop, task }
    }

    /// Sends bytes, and reads until the server closes.
    async fn exchange(address: SocketAddr, request: &[u8]) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request).await.unwrap();
        let mut response = Vec::new();
        // A reset after the response is as good as a close.
        let _ = stream.read_to_end(&mut response).await;
        String::from_utf8(response).unwrap()
    }

    const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

    #[tokio::test]
    async fn a_request_knows_both_ends() {
        let ends = get(async |request: Request<Body>| {
            let connection: &Connection = request.extensions().get().unwrap();
            format!("{} {} {}", connection.peer.ip(), connection.local, connection.is_tls)
        });
        let served = start(Router::new().route("/", ends), ConnectionLimits::default()).await;
        let response = exchange(served.address, GET).await;
        assert!(response.ends_with(&format!("127.0.0.1 {} false", served.address)), "{response}");
    }

    #[tokio::test]
    async fn heads_have_a_size_and_a_time() {
        let limits = ConnectionLimits {
            head_bytes: 8192,
            head_time: Duration::from_millis(300),
            ..ConnectionLimits::default()
        };
        let served = start(Router::new().route("/", get(async || "ok")), limits).await;
        let long = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "x".repeat(20_000));
        let response = exchange(served.address, long.as_bytes()).await;
        assert!(response.starts_with("HTTP/1.1 431 "), "{response}");
        let started = Instant::now();
        assert_eq!(exchange(served.address, b"GET / HTTP/1.1\r\nHo").await, "");
        assert!((200..5000).contains(&started.elapsed().as_millis()));
        assert!(exchange(served.address, GET).await.ends_with("ok"));
    }

    #[tokio::test]
    async fn a_response_under_way_is_finished() {
        let slow = get(async || {
            tokio::time::sleep(Duration::from_millis(300)).await;
            "done"
        });
        let served = start(Router::new().route("/", slow), ConnectionLimits::default()).await;
        let address = served.address;
        let response = tokio::spawn(async move { exchange(address, GET).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        served.stop.send(()).unwrap();
        assert!(response.await.unwrap().ends_with("done"));
        served.task.await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn what_takes_too_long_is_not_waited_for() {
        let never = get(async || {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            "never"
        });
        let limits =
            ConnectionLimits { shutdown_time: Duration::from_millis(100), ..ConnectionLimits::default() };
        let served = start(Router::new().route("/", never), limits).await;
        let address = served.address;
        tokio::spawn(async move { exchange(address, GET).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        served.stop.send(()).unwrap();
        tokio::time::timeout(Duration::from_secs(5), served.task).await.unwrap().unwrap().unwrap();
    }

    #[tokio::test]
    async fn connections_wait_for_a_slot() {
        let limits = ConnectionLimits { connections: NonZeroUsize::MIN, ..ConnectionLimits::default() };
        let served = start(Router::new().route("/", get(async || "ok")), limits).await;
        let first = TcpStream::connect(served.address).await.unwrap();
        let address = served.address;
        let second = tokio::spawn(async move { exchange(address, GET).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(!second.is_finished());
        drop(first);
        assert!(second.await.unwrap().ends_with("ok"));
    }
}
