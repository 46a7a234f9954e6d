//! Predictions over HTTP, and runs that are watched.
//!
//! ```text
//! connection ─server─▶ request ─access─▶ routes ─upload─▶ images ─queue─▶ batches ─Classifier─▶ answers
//! ```
//!
//! * [`settings`] what is listened to, and the limits
//! * `server` what a server is made of; `connections`: how many, how slow, and how they end
//! * `access` who may ask: the name of the host, the token
//! * `routes` what may be asked, as `openapi.json` describes it; `upload` takes the images out of a request
//! * `queue` puts the images of many requests into batches; it holds so many and refuses more
//! * `live` the classifier that answers, which is exchanged when its files change
//! * `metrics` numbers for Prometheus
//! * [`watch`] the pages of runs while these go on

mod access;
mod connections;
mod live;
mod metrics;
mod queue;
mod refusal;
mod routes;
mod server;
pub mod settings;
mod upload;
pub mod watch;

pub use server::{Event, ServeError, Server, Stop};
pub use settings::Settings;
