//! What a server listens to, and its limits.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The settings of a server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens. Port 0 is any that is free.
    pub address: SocketAddr,
    /// What requests must have in `Authorization: Bearer …`; none lets everybody ask.
    pub token: Option<String>,
    /// The most images that are computed at a time.
    pub batch: usize,
    /// How long an image waits for others to be computed with.
    pub batch_wait: Duration,
    /// The most images that wait or are computed. A request beyond it is refused with 503.
    pub queue: usize,
    /// The most bytes of a request.
    pub request_bytes: usize,
    /// The most bytes of all requests that are read, wait or are computed.
    pub all_bytes: usize,
    /// The most connections; others wait until one ends.
    pub connections: usize,
    /// How long a request may take to arrive, its header and its body each.
    pub timeout: Duration,
    /// How often it is looked whether the classifier's files have changed; none never does.
    pub reload: Option<Duration>,
    /// How long requests that are being answered may take when the server ends.
    pub grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 8000).into(),
            token: None,
            batch: 32,
            batch_wait: Duration::from_millis(2),
            queue: 128,
            request_bytes: 32 << 20,
            all_bytes: 256 << 20,
            connections: 512,
            timeout: Duration::from_secs(10),
            reload: Some(Duration::from_secs(2)),
            grace: Duration::from_secs(20),
        }
    }
}
