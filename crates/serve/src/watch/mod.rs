//! The pages of runs while these go on: a list, a page for each run, and what may be asked of one.
//!
//! It listens to this machine alone, and answers to who knows the token in its address: other users of the machine, and pages
//! of other sites, do not.

mod news;
mod routes;

use crate::connections::{Limits, listen, serve_until};
use crate::server::{ServeError, Stop};
use routes::{Watched, router};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;
use wellfit_base::id;

pub use news::Folder;

/// A page needs one connection for the news and few for the rest.
const LIMITS: Limits =
    Limits { connections: 64, timeout: Duration::from_secs(10), grace: Duration::from_secs(2) };

/// A server that shows the runs in a folder.
///
/// ```no_run
/// use wellfit_serve::watch::Watch;
/// let watch = Watch::bind(0, "runs".into())?;
/// println!("{}", watch.url());
/// watch.run(&|| false)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Watch {
    listener: TcpListener,
    address: SocketAddr,
    token: String,
    folder: Folder,
}

impl Watch {
    /// Listen on a port of this machine, 0 for any that is free. `root` is a run, or a folder of runs, also one in which
    /// there will be some.
    ///
    /// # Errors
    /// If the port is taken, or the system gives no random numbers.
    pub fn bind(port: u16, root: PathBuf) -> Result<Self, ServeError> {
        let (listener, address) = listen((Ipv4Addr::LOCALHOST, port).into())?;
        Ok(Self { listener, address, token: id::random()?, folder: Folder::new(root) })
    }

    /// Where its first page is.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/{}/", self.address, self.token)
    }

    /// Answer until `stop` says so.
    ///
    /// # Errors
    /// If the machine gives no threads or sockets.
    pub fn run(self, stop: Stop<'_>) -> Result<(), ServeError> {
        let Self { listener, address, token, folder } = self;
        let folder = Arc::new(folder);
        let (tell, told) = tokio::sync::watch::channel(Arc::new(folder.news()));
        let (end, ended) = channel();
        let looked_at = Arc::clone(&folder);
        let look = move || news::look(&looked_at, &tell, &ended);
        let looking = std::thread::Builder::new().name("watch".to_owned()).spawn(look)?;
        let (mut end, watched) = (Some(end), Watched { address, token, folder, told });
        let done = serve_until(listener, router(Arc::new(watched)), LIMITS, &mut || {
            let ends = stop();
            if ends {
                // The thread ends, and with it the streams of news, which would keep their connections.
                end = None;
            }
            ends
        });
        drop(end);
        let _ = looking.join();
        done
    }
}
