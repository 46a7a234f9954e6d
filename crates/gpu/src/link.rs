//! The way to a device and back. All that is copied goes through here, where it is counted.

use burn_tensor::backend::Backend;
use burn_tensor::{Tensor, TensorData, Transaction};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wellfit_models::{ModelError, Traffic};

/// A device by name, with what has been copied to it and back.
#[derive(Debug, Clone)]
pub(crate) struct Link<D> {
    pub name: String,
    pub device: D,
    counters: Arc<Counters>,
}

#[derive(Debug, Default)]
struct Counters {
    uploaded: AtomicU64,
    downloaded: AtomicU64,
}

impl<D> Link<D> {
    pub(crate) fn new(name: String, device: D) -> Self {
        Self { name, device, counters: Arc::default() }
    }

    pub(crate) fn traffic(&self) -> Traffic {
        let Counters { uploaded, downloaded } = &*self.counters;
        let count = |bytes: &AtomicU64| bytes.load(Ordering::Relaxed);
        Traffic { uploaded: count(uploaded), downloaded: count(downloaded) }
    }

    /// Values on the device, in a row as they are.
    pub(crate) fn upload<B: Backend<Device = D>>(&self, values: &[f32]) -> Tensor<B, 1> {
        self.counters.uploaded.fetch_add(size_of_val(values) as u64, Ordering::Relaxed);
        Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), &self.device)
    }

    /// The values of tensors, in one read. It waits until they are computed. Burn refuses to read nothing.
    pub(crate) fn download<B: Backend<Device = D>>(
        &self,
        tensors: Vec<Tensor<B, 1>>,
    ) -> Result<Vec<Vec<f32>>, String> {
        if tensors.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = tensors.iter().map(|tensor| 4 * tensor.dims()[0] as u64).sum();
        self.counters.downloaded.fetch_add(bytes, Ordering::Relaxed);
        let transaction = tensors.into_iter().fold(Transaction::default(), Transaction::register);
        let read = transaction.try_execute().map_err(|error| format!("{error:?}"))?;
        read.into_iter().map(|data| data.into_vec().map_err(|error| format!("{error:?}"))).collect()
    }

    /// An error of this device.
    pub(crate) fn error(&self, problem: impl Into<String>) -> ModelError {
        ModelError::Device { device: self.name.clone(), problem: problem.into() }
    }

    /// A failure of the device, which Burn may report by a panic, as an error.
    pub(crate) fn guarded<T>(&self, work: impl FnOnce() -> Result<T, String>) -> Result<T, ModelError> {
        caught(work).and_then(|done| done).map_err(|problem| self.error(problem))
    }
}

/// What `work` gives, or the words of its panic.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| words(&*panic))
}

/// The words of a panic.
pub(crate) fn words(panic: &(dyn Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().map(|words| (*words).to_owned());
    literal
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no reason given".to_owned())
}
