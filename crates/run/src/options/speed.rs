//! The group of settings about speed and the device.

/// Adds these settings to the list (see `super::collect`).
macro_rules! speed_options {
    ($rest:tt $($entries:tt)*) => { collect! { $rest $($entries)* Speed {
        /// Where to compute: cpu; wgpu, cuda or cuda:N in a build with that feature
        device: String {
            default: |_| Device::default().to_string(),
            value_name: "DEVICE",
            check: |spec| spec.device().map(drop),
            common: true,
        }

        /// How values are stored and multiplied: f32; bf16, with sums and weights in f32; or auto, bf16 where the
        /// processor has instructions for it
        precision: PrecisionName {
            default: |_| PrecisionName::F32,
            value_name: "NAME",
            check: |spec| require(spec.precision == PrecisionName::F32 || spec.device == "cpu", || {
                format!("`precision` {} is for the processor: leave it out with `device` {}", spec.precision, spec.device)
            }),
        }

        /// Memory that the run may take, in MiB, in place of what the system says is free
        memory: Option<u64> {
            default: |_| None,
            default_text: "what the machine, its control groups and ulimit leave",
            value_name: "MIB",
            check: |spec| require(spec.memory.is_none_or(|mib| (1..=u64::MAX >> 20).contains(&mib)), || {
                format!("`memory` must be from 1 to {} MiB", u64::MAX >> 20)
            }),
            immaterial: true,
        }

        /// Compute all convolutions by direct sums, none by Winograd's method: slower, rounds a little less
        exact_conv: bool {
            default: |_| false,
        }

        /// Threads that decode images ahead of training
        workers: usize {
            default: |_| 2,
            value_name: "N",
            check: |spec| require(spec.workers <= checks::MOST_THREADS, || {
                format!("`workers` must be at most {}, not {}", checks::MOST_THREADS, spec.workers)
            }),
            immaterial: true,
        }

        /// Where decoded images, and with `freeze` the backbone's features, are kept. No result depends on it
        cache: CacheName {
            default: |_| CacheName::Ram,
            value_name: "WHERE",
            immaterial: true,
        }

        /// The most that is kept, in MiB
        cache_size: Option<u64> {
            default: |_| None,
            default_text: "ram a quarter of what the run leaves free, disk 10240",
            value_name: "MIB",
            immaterial: true,
        }

        /// The folder of `cache` disk
        cache_dir: Option<PathBuf> {
            default: |_| None,
            default_text: "wellfit/results in the user's cache",
            value_name: "DIR",
            check: |spec| require(spec.cache_dir.is_none() || spec.cache == CacheName::Disk, || {
                "`cache_dir` is the folder of `cache` disk: give that as well".to_owned()
            }),
            immaterial: true,
        }
    } } };
}
