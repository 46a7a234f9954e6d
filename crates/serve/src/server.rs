//! The server of predictions: what it is made of, and how it ends.

use crate::connections::{Limits, listen, serve_until};
use crate::live::{Fingerprint, Live};
use crate::metrics::Metrics;
use crate::queue::Queue;
use crate::routes::{App, router};
use crate::settings::Settings;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use wellfit_run::{Classifier, RunError};

/// Says whether the server is to end.
pub type Stop<'a> = &'a dyn Fn() -> bool;

/// Loads a classifier anew.
type Open = Box<dyn Fn() -> Result<Classifier, RunError> + Send>;

/// Something that whoever started the server should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// New weights answer from now on.
    Reloaded,
    /// There are new weights that cannot be used; the old ones go on answering.
    NotReloaded(String),
}

/// Why a server does not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Somebody else listens there, or it is no address of this machine.
    #[error("cannot listen to {address}: {cause}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        cause: io::Error,
    },
    /// The machine gives no threads or no sockets.
    #[error("the server cannot go on: {0}")]
    Machine(#[from] io::Error),
}

/// A server that listens.
///
/// ```no_run
/// use wellfit_run::Classifier;
/// use wellfit_serve::{Server, Settings};
/// let classifier = Classifier::open("runs/animals-resnet50-1".as_ref())?;
/// let server = Server::bind(classifier, Settings::default())?;
/// println!("http://{}", server.address());
/// server.run(&|| false, &mut |_| ())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    settings: Settings,
    app: Arc<App>,
    batches: JoinHandle<()>,
    watch: Option<(PathBuf, Open)>,
}

impl Server {
    /// Listen, so that connections wait from now on.
    ///
    /// # Errors
    /// If the address is taken, or the machine gives no thread.
    pub fn bind(classifier: Classifier, settings: Settings) -> Result<Self, ServeError> {
        let address = settings.address;
        let (listener, address) = listen(address)?;
        let (live, metrics) = (Arc::new(Live::new(classifier)), Arc::new(Metrics::new()));
        let (queue, batches) = Queue::start(Arc::clone(&live), &settings, Arc::clone(&metrics))?;
        let app = Arc::new(App::new(address, settings.clone(), live, queue, metrics));
        Ok(Self { listener, address, settings, app, batches, watch: None })
    }

    /// Look at `path` now and then, and when its weights have changed answer with what `open` gives.
    #[must_use]
    pub fn watching(
        self,
        path: PathBuf,
        open: impl Fn() -> Result<Classifier, RunError> + Send + 'static,
    ) -> Self {
        Self { watch: Some((path, Box::new(open))), ..self }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answer until `stop` says so. Requests that have come are answered then, within the grace.
    ///
    /// # Errors
    /// If the machine gives no threads or sockets.
    pub fn run(self, stop: Stop<'_>, tell: &mut dyn FnMut(Event)) -> Result<(), ServeError> {
        let Self { listener, settings, app, batches, watch, .. } = self;
        let (events, told) = channel();
        // Dropped at the end, by which the thread hears of it.
        let mut ending = None;
        if let (Some((path, open)), Some(pause)) = (watch, settings.reload) {
            let (end, ended) = channel();
            ending = Some(end);
            let app = Arc::clone(&app);
            let watch = move || look_for_new(&app, &path, &open, pause, &events, &ended);
            std::thread::Builder::new().name("reload".to_owned()).spawn(watch)?;
        }
        let limits =
            Limits { connections: settings.connections, timeout: settings.timeout, grace: settings.grace };
        let done = serve_until(listener, router(app), limits, &mut || {
            told.try_iter().for_each(&mut *tell);
            stop()
        });
        drop(ending);
        // With the last connection its queue is gone, and the thread ends after the batch that it computes.
        let _ = batches.join();
        done
    }
}

/// Load new weights when they have come and stay the same for a while.
fn look_for_new(
    app: &App,
    path: &std::path::Path,
    open: &Open,
    pause: Duration,
    events: &Sender<Event>,
    ended: &Receiver<()>,
) {
    let mut loaded = Fingerprint::of(path);
    let mut seen = loaded.clone();
    while matches!(ended.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
        let now = Fingerprint::of(path);
        let settled = now == seen;
        seen = now;
        if !settled || seen == loaded {
            continue;
        }
        loaded = seen.clone();
        let event = match open() {
            Ok(classifier) => {
                app.live.exchange(classifier);
                app.metrics.reload();
                Event::Reloaded
            }
            Err(problem) => Event::NotReloaded(problem.to_string()),
        };
        if events.send(event).is_err() {
            return;
        }
    }
}
