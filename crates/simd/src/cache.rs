//! What the processor says of its caches.

/// Bytes of a core's first-level data cache; 0 where the processor does not say.
#[must_use]
pub fn first_level_data() -> usize {
    #[cfg(target_arch = "x86_64")]
    {
        static BYTES: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
        *BYTES.get_or_init(by_cpuid)
    }
    #[cfg(not(target_arch = "x86_64"))]
    0
}

/// CPUID describes a cache a subleaf: Intel's in leaf 4, AMD's in the same form in leaf 0x8000001D.
#[cfg(target_arch = "x86_64")]
fn by_cpuid() -> usize {
    use std::arch::x86_64::{__cpuid, __cpuid_count};
    const INTEL: u32 = 4;
    const AMD: u32 = 0x8000_001D;
    const SUBLEAVES: u32 = 8;
    let there = |leaf: u32| __cpuid(leaf & 0x8000_0000).eax >= leaf;
    [INTEL, AMD]
        .into_iter()
        .filter(|leaf| there(*leaf))
        .flat_map(|leaf| (0..SUBLEAVES).map(move |subleaf| __cpuid_count(leaf, subleaf)))
        .find(|found| {
            let (kind, level) = (found.eax & 0x1F, found.eax >> 5 & 0x7);
            kind == 1 && level == 1
        })
        .map_or(0, |found| {
            let [line, partitions, ways] = [found.ebx & 0xFFF, found.ebx >> 12 & 0x3FF, found.ebx >> 22];
            [line, partitions, ways, found.ecx].iter().map(|less_one| *less_one as usize + 1).product()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where Linux tells of the cache, it is the same; a virtual machine may tell of none.
    #[test]
    fn it_is_what_the_system_says() {
        let folder = std::path::Path::new("/sys/devices/system/cpu/cpu0/cache/index0");
        let said =
            |name: &str| std::fs::read_to_string(folder.join(name)).unwrap_or_default().trim().to_owned();
        let found = first_level_data();
        if cfg!(target_arch = "x86_64") && said("level") == "1" && said("type") == "Data" {
            assert_eq!(format!("{}K", found / 1024), said("size"));
        } else {
            assert!(found < 1 << 20, "{found}");
        }
    }
}
