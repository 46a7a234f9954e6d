//! Devices by name, and opening them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
#[cfg(feature = "burn")]
use std::sync::OnceLock;
use wellfit_models::{Cpu, Engine};

/// Where a network's passes are computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Device {
    /// The processor.
    #[default]
    Cpu,
    /// The best GPU that wgpu finds, by Vulkan, Metal or DirectX 12.
    Wgpu,
    /// The NVIDIA GPU of that number.
    Cuda(usize),
}

/// Why a device cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No device has such a name.
    #[error("there is no device `{0}`; known are cpu, wgpu, cuda, and cuda:N for the GPU of number N")]
    Unknown(String),
    /// The program was built without it.
    #[error(
        "this wellfit was built without {feature}: build it with `cargo build --release --features {feature}`, or \
         leave `device` out to compute on the processor"
    )]
    NotBuilt {
        /// The cargo feature.
        feature: &'static str,
    },
    /// There is none, or its driver does not work.
    #[error(
        "no GPU can be used by `device` {device}: check that there is one and that its driver is installed, or leave \
         `device` out to compute on the processor. Burn says: {problem}"
    )]
    NotFound {
        /// The device.
        device: Device,
        /// What Burn says.
        problem: String,
    },
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Wgpu => f.write_str("wgpu"),
            Self::Cuda(0) => f.write_str("cuda"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
        }
    }
}

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::Unknown(name.to_owned());
        match name.split_once(':') {
            None => match name {
                "cpu" => Ok(Self::Cpu),
                "wgpu" => Ok(Self::Wgpu),
                "cuda" => Ok(Self::Cuda(0)),
                _ => Err(unknown()),
            },
            Some(("cuda", number)) => number.parse().map(Self::Cuda).map_err(|_| unknown()),
            Some(_) => Err(unknown()),
        }
    }
}

/// The engine of a device.
///
/// # Errors
/// When the crate was built without it, or when the machine has no such device that works.
pub fn open(device: Device) -> Result<Arc<dyn Engine>, DeviceError> {
    match device {
        Device::Cpu => Ok(Arc::new(Cpu)),
        #[cfg(feature = "wgpu")]
        Device::Wgpu => wgpu(),
        #[cfg(not(feature = "wgpu"))]
        Device::Wgpu => Err(DeviceError::NotBuilt { feature: "wgpu" }),
        #[cfg(feature = "cuda")]
        Device::Cuda(number) => cuda(number),
        #[cfg(not(feature = "cuda"))]
        Device::Cuda(_) => Err(DeviceError::NotBuilt { feature: "cuda" }),
    }
}

#[cfg(feature = "wgpu")]
fn wgpu() -> Result<Arc<dyn Engine>, DeviceError> {
    use burn_wgpu::graphics::AutoGraphicsApi;
    use burn_wgpu::{RuntimeOptions, WgpuDevice, init_setup};
    use std::sync::{Mutex, PoisonError};
    /// A device is set up once in a process.
    static NAME: Mutex<Option<String>> = Mutex::new(None);
    let mut name = NAME.lock().unwrap_or_else(PoisonError::into_inner);
    let device = WgpuDevice::DefaultDevice;
    if name.is_none() {
        let setup = attempt(|| init_setup::<AutoGraphicsApi>(&device, RuntimeOptions::default()))
            .map_err(|problem| DeviceError::NotFound { device: Device::Wgpu, problem })?;
        *name = Some(setup.adapter.get_info().name);
    }
    let name = format!("wgpu ({})", name.as_deref().unwrap_or_default());
    Ok(Arc::new(crate::engine::Gpu::<burn_autodiff::Autodiff<burn_wgpu::Wgpu>>::new(name, device)))
}

#[cfg(feature = "cuda")]
fn cuda(number: usize) -> Result<Arc<dyn Engine>, DeviceError> {
    use burn_tensor::backend::Backend;
    type Cuda = burn_autodiff::Autodiff<burn_cuda::Cuda>;
    let device = burn_cuda::CudaDevice::new(number);
    let failed = |problem| DeviceError::NotFound { device: Device::Cuda(number), problem };
    attempt(|| Cuda::sync(&device)).map_err(failed)?.map_err(|error| failed(error.to_string()))?;
    Ok(Arc::new(crate::engine::Gpu::<Cuda>::new(Device::Cuda(number).to_string(), device)))
}

/// Burn panics where there is no device, maybe in a thread of its own: the first words of any are the cause. They are
/// in the error, not printed.
#[cfg(feature = "burn")]
fn attempt<T>(open: impl FnOnce() -> T) -> Result<T, String> {
    use crate::link::{caught, words};
    use std::panic::{set_hook, take_hook};
    let heard = Arc::new(OnceLock::new());
    let hears = Arc::clone(&heard);
    let hook = take_hook();
    set_hook(Box::new(move |panic| drop(hears.set(words(panic.payload())))));
    let opened = caught(open);
    set_hook(hook);
    opened.map_err(|last| heard.get().cloned().unwrap_or(last))
}
