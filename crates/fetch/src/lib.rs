//! Pretrained weights by name: a name becomes the path of a file that is right.
//!
//! [`Name`] is what a user writes, [`Settings`] where to look and how to download, [`Store`] does both:
//!
//! * [`Store::torchvision`] a file of torchvision's, whose name ends in the first 8 digits of its SHA-256
//! * [`Store::hub`] `model.safetensors` and `config.json` of a model on the Hugging Face hub
//!
//! Looked for in Wellfit's cache, torch's (`$TORCH_HOME/hub/checkpoints`) and Hugging Face's (`$HF_HUB_CACHE`), then
//! downloaded into the first. Only a file whose SHA-256, length or structure was checked gets its name there, in one
//! step. A download that ends early is gone on with by the next process; several processes make one download.
//!
//! ```no_run
//! use wellfit_fetch::{Settings, Store};
//! let store = Store::new(Settings::from_env(Some("/var/cache/wellfit".into()), false));
//! let file = store.torchvision("resnet18-f37072fd.pth", &mut |_| ())?;
//! println!("{}", file.path.display());
//! # Ok::<(), wellfit_fetch::FetchError>(())
//! ```

mod content;
mod error;
mod event;
mod http;
mod hub;
mod name;
mod redirect;
mod settings;
mod store;
mod torchvision;
mod transfer;

pub use error::FetchError;
pub use event::{Event, Watch};
pub use hub::HubFiles;
pub use name::{Name, Repository, Version};
pub use settings::{Limits, Settings};
pub use store::{Checked, Found, Place, Store};
