//! Connections: how many there are, how slow they may be, and how they end.

use crate::server::ServeError;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_io_timeout::TimeoutStream;

/// How often it is looked whether the server is to end.
const TICK: Duration = Duration::from_millis(100);
/// The most bytes of a request's header.
const HEADER: usize = 32 << 10;

/// What connections may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// The most connections; others wait until one ends.
    pub connections: usize,
    /// How long a header may take to arrive, and the other end to take what is written.
    pub timeout: Duration,
    /// How long requests that are being answered may take in the end.
    pub grace: Duration,
}

/// Listen, so that connections wait from now on; port 0 is any that is free.
pub(crate) fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let listen = || {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listen().map_err(|cause| ServeError::Listen { address, cause })
}

/// Answer until `stop` says so, and then what has come, within the grace.
pub(crate) fn serve_until(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    stop: &mut dyn FnMut() -> bool,
) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let connections = GracefulShutdown::new();
        accept(&listener, limits, router, &connections, stop).await;
        drop(listener);
        // Those that are late are cut off.
        let _ = timeout(limits.grace, connections.shutdown()).await;
        Ok(())
    });
    runtime.shutdown_timeout(Duration::ZERO);
    done
}

async fn accept(
    listener: &tokio::net::TcpListener,
    limits: Limits,
    router: Router,
    watched: &GracefulShutdown,
    stop: &mut dyn FnMut() -> bool,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.timeout).max_buf_size(HEADER);
    let mut place = None;
    while !stop() {
        let Some(free) = place.take() else {
            place = timeout(TICK, Arc::clone(&places).acquire_owned()).await.ok().and_then(Result::ok);
            continue;
        };
        match timeout(TICK, listener.accept()).await {
            Ok(Ok((stream, _))) => {
                let service = TowerToHyperService::new(router.clone());
                let stream = Box::pin(unhurried(stream, limits.timeout));
                let connection = watched.watch(http.serve_connection(TokioIo::new(stream), service));
                tokio::spawn(serve(connection, free));
            }
            // Such as too many open files: some will be closed.
            Ok(Err(_)) => {
                tokio::time::sleep(TICK).await;
                place = Some(free);
            }
            Err(_) => place = Some(free),
        }
    }
}

/// A connection whose other end must take what is written within the time.
fn unhurried(stream: TcpStream, limit: Duration) -> TimeoutStream<TcpStream> {
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(limit));
    stream
}

/// A connection that fails is the other end's loss.
async fn serve(connection: impl Future, _place: OwnedSemaphorePermit) {
    connection.await;
}
