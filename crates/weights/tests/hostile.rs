//! Files that lie: an error each time, never a panic, and never much memory.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may panic

mod common;

use std::sync::Mutex;

use common::bytes;
use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use wellfit_weights::{Fault, WeightFile, from_bytes};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Far above what the fixtures need, far below what a lying file may claim.
const MOST_MEMORY: usize = 64 << 20;

/// `no_crc.pth` has no checksums, so that damage reaches the readers behind them.
const SAMPLES: [&str; 3] = ["no_crc.pth", "legacy_views.pth", "dtypes.safetensors"];

/// Read a file, one at a time, and watch the memory that takes.
fn read(file: &[u8]) -> Result<WeightFile, Fault> {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock();
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let result = from_bytes(file);
    let peak = MEMORY.peak_usage().saturating_sub(before);
    assert!(peak < MOST_MEMORY, "{peak} bytes were allocated");
    result
}

#[test]
fn every_truncation_is_an_error() {
    for name in SAMPLES {
        let whole = bytes(name);
        assert!(read(&whole).is_ok());
        for length in 0..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{name}, {length} bytes");
        }
    }
}

#[test]
fn no_flipped_bit_makes_a_panic() {
    for name in SAMPLES {
        let mut file = bytes(name);
        for at in 0..file.len() {
            for bit in 0..8 {
                file[at] ^= 1 << bit;
                let _ = read(&file);
                file[at] ^= 1 << bit;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_random_damage_makes_a_panic(
        sample in 0..SAMPLES.len(), damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)
    ) {
        let mut file = bytes(SAMPLES[sample]);
        for (at, value) in damage {
            let at = at.index(file.len());
            file[at] = value;
        }
        let _ = read(&file);
    }

    /// Instructions of the pickle machine in any order.
    #[test]
    fn no_pickle_makes_a_panic(program in prop::collection::vec(prop::sample::select(&b"\x80\x04(K\x01M\x00\x81\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90\x91\x92\x93\x94\x96N])}012BCFGILSTUVabcdeghijlopqrstuQR.X\n"[..]), 0..60)) {
        let _ = read(&zip_with(&program, &[]));
    }

    #[test]
    fn any_bytes_are_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&bytes).is_err());
    }
}

/// A `.pth` with this pickle and one storage of these bytes under the key "0", without checksums.
fn zip_with(pickle: &[u8], storage: &[u8]) -> Vec<u8> {
    zip(&[("a/data.pkl", pickle), ("a/data/0", storage)])
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in entries {
        let offset = file.len() as u32;
        let mut fields = vec![0; 14];
        fields.extend([(content.len() as u32).to_le_bytes(); 2].as_flattened());
        fields.extend((name.len() as u32).to_le_bytes());
        file.extend([b"PK\x03\x04", &fields[..], name.as_bytes(), content].concat());
        directory.extend(
            [b"PK\x01\x02\0\0", &fields[..], &[0; 10], &offset.to_le_bytes(), name.as_bytes()].concat(),
        );
    }
    let (count, size, offset) = (entries.len() as u16, directory.len() as u32, file.len() as u32);
    file.extend(directory);
    file.extend(*b"PK\x05\x06\0\0\0\0");
    file.extend([count.to_le_bytes(); 2].as_flattened());
    file.extend([size.to_le_bytes(), offset.to_le_bytes()].as_flattened());
    file.extend([0; 2]);
    file
}

/// {"w": a tensor of the storage "0" of `stored` floats}.
fn tensor(stored: u32, offset: u32, shape: &[u32], stride: &[u32]) -> Vec<u8> {
    let int = |value: u32| [&[0x8a, 5], &u64::from(value).to_le_bytes()[..5]].concat();
    let tuple = |sizes: &[u32]| {
        [b"(", &sizes.iter().flat_map(|&size| int(size)).collect::<Vec<_>>()[..], b"t"].concat()
    };
    [
        b"\x80\x02}\x8c\x01wctorch._utils\n_rebuild_tensor_v2\n((\x8c\x07storagectorch\nFloatStorage\n\x8c\x010N".to_vec(),
        int(stored),
        b"tQ".to_vec(),
        int(offset),
        tuple(shape),
        tuple(stride),
        b"tRs.".to_vec(),
    ]
    .concat()
}

fn fault(file: &[u8]) -> Fault {
    read(file).unwrap_err()
}

#[test]
fn a_tensor_cannot_reach_outside_its_storage() {
    let storage = [0; 16];
    let view = |stored, offset, shape: &[u32], stride: &[u32]| {
        read(&zip_with(&tensor(stored, offset, shape, stride), &storage))
    };
    assert!(view(4, 0, &[2, 2], &[2, 1]).is_ok());
    assert!(view(4, 3, &[], &[]).is_ok());
    let outside = [
        view(4, 1, &[2, 2], &[2, 1]),
        view(4, 4, &[], &[]),
        view(4, 0, &[2], &[u32::MAX]),
        view(4, u32::MAX, &[1], &[1]),
        view(4, 0, &[u32::MAX; 3], &[1; 3]),
        view(4, 0, &[4], &[]),
        view(5, 0, &[4], &[1]),
        view(u32::MAX, 0, &[4], &[1]),
    ];
    for (case, result) in outside.into_iter().enumerate() {
        assert!(matches!(result, Err(Fault::Damaged(_))), "case {case}: {result:?}");
    }
}

/// One element seen 2³⁰ times is sound in PyTorch, but no state dict.
#[test]
fn a_tiny_file_cannot_become_a_huge_array() {
    assert!(matches!(
        fault(&zip_with(&tensor(1, 0, &[1 << 15, 1 << 15], &[0, 0]), &[0; 4])),
        Fault::TooLarge(_)
    ));
}

/// Each of 64 tensors shares one storage of 1 MiB.
#[test]
fn shared_storages_are_counted_each_time() {
    let one = tensor(1 << 18, 0, &[1 << 18], &[1]);
    let value = &one[6..one.len() - 2];
    let mut pickle = b"\x80\x02}(".to_vec();
    (0..64).for_each(|key| pickle.extend([b"\x8c\x02", format!("{key:02}").as_bytes(), value].concat()));
    pickle.extend(*b"u.");
    assert!(matches!(fault(&zip_with(&pickle, &vec![0; 1 << 20])), Fault::TooLarge(_)));
}

/// Doubling by the memo ("billion laughs"), and a dict that holds itself, cost nothing.
#[test]
fn memo_bombs_and_cycles_are_harmless() {
    let laughs = [b"\x80\x02]q\0".to_vec(), b"h\0h\0\x86q\0".repeat(10_000), b".".to_vec()].concat();
    fault(&zip_with(&laughs, &[]));
    fault(&zip_with(b"\x80\x02}q\0\x8c\x0astate_dicth\0s.", &[]));
    let deep = [b"\x80\x02".to_vec(), b"]".repeat(100_000), b"\x85".repeat(100_000), b".".to_vec()].concat();
    fault(&zip_with(&deep, &[]));
}

/// A short pickle that copies one list of pairs into a thousand dicts, and a long one.
#[test]
fn work_is_bounded() {
    let pairs = [b"](".to_vec(), b"NN\x86".repeat(1000), b"e\x85q\x01".to_vec()].concat();
    let copies =
        [b"\x80\x02".to_vec(), pairs, b"ccollections\nOrderedDict\nh\x01R".repeat(1000), b".".to_vec()]
            .concat();
    assert!(matches!(fault(&zip_with(&copies, &[])), Fault::TooLarge(_)));
    let long = [b"\x80\x02".to_vec(), b"N".repeat(2 << 20), b".".to_vec()].concat();
    assert!(matches!(fault(&zip_with(&long, &[])), Fault::TooLarge(_)));
}

#[test]
fn a_call_of_anything_is_refused_by_its_name() {
    for pickle in [
        &b"\x80\x02cos\nsystem\n\x8c\x02ls\x85R."[..],
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02ls\x85R.",
    ] {
        assert_eq!(fault(&zip_with(pickle, &[])), Fault::Refused("os.system".into()));
        assert_eq!(fault(pickle), Fault::Refused("os.system".into()), "without a zip file around it");
    }
}

#[test]
fn a_zip_directory_that_lies_is_found() {
    let good = zip_with(&tensor(4, 0, &[4], &[1]), &[0; 16]);
    assert!(read(&good).is_ok());
    let twice = zip(&[("a/data.pkl", b"}."), ("a/data.pkl", b"}.")]);
    assert!(fault(&twice).to_string().contains("two entries named `a/data.pkl`"));
    let missing = zip(&[("a/data.pkl", &tensor(4, 0, &[4], &[1]))]);
    assert!(fault(&missing).to_string().contains("entry `a/data/0` is missing"));
    let directory = good.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    for (field, what) in [(24, "bytes should follow"), (42, "it points to byte")] {
        let mut lying = good.clone();
        lying[directory + field..][..4].copy_from_slice(&[0xfe; 4]);
        if field == 24 {
            lying[directory + 20..][..4].copy_from_slice(&[0xfe; 4]);
        }
        assert!(fault(&lying).to_string().contains(what), "{}", fault(&lying));
    }
}

#[test]
fn other_files_are_named_by_how_they_begin() {
    assert!(fault(b"<!DOCTYPE html><html>").to_string().contains("(it begins with \"<!DOCTYPE html><\")"));
    assert!(fault(b"these are no weights").to_string().contains("(it begins with \"these are no wei\")"));
    assert!(fault(b"").to_string().contains("neither a safetensors nor a PyTorch file"));
}

/// Headers of safetensors that lie about the data behind them (8 bytes).
#[test]
fn a_safetensors_header_that_lies_is_found() {
    let file = |header: &str| [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &[0; 8]].concat();
    let entry = |name: &str, dtype: &str, shape: &str, begin: usize, end: usize| {
        format!(r#""{name}":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
    };
    let one = |dtype, shape, begin, end| file(&format!("{{{}}}", entry("a", dtype, shape, begin, end)));
    assert!(read(&one("F32", "[2]", 0, 8)).is_ok());
    let faults = [
        (one("F32", "[3]", 0, 8), "shape [3] does not match"),
        (one("F32", "[1]", 0, 4), "do not cover"),
        (one("F32", "[2]", 8, 0), "do not cover"),
        (one("F32", "[4]", 0, 16), "do not cover"),
        (one("F64", "[4294967296,4294967296]", 0, 8), "does not match"),
        (one("F32", "[-1]", 0, 8), "header is not that of safetensors"),
        (one("F8_E4M3", "[8]", 0, 8), "array `a`: the type F8_E4M3 is not read"),
        (
            file(&format!("{{{},{}}}", entry("a", "F32", "[2]", 0, 8), entry("b", "F32", "[2]", 0, 8))),
            "do not cover",
        ),
        (
            file(&format!("{{{},{}}}", entry("a", "F32", "[2]", 0, 8), entry("a", "F32", "[0]", 8, 8))),
            "`a` appears twice",
        ),
        (file(&format!("{{{}}}", "[".repeat(100_000))), "header is not that of safetensors"),
        (one("I16", "[1]", 0, 3), "do not cover"),
    ];
    for (file, what) in faults {
        let message = fault(&file).to_string();
        assert!(message.contains(what), "{message}");
    }
    let mut long = one("F32", "[2]", 0, 8);
    long[7] = 0x7f;
    assert!(fault(&long).to_string().contains("more than the format allows"));
    let odd = [&one("I16", "[1]", 0, 3)[..], b""].concat();
    assert!(read(&odd[..odd.len() - 5]).unwrap_err().to_string().contains("no whole number of elements"));
}

/// A directory of 2⁶³ entries, and one of 65,534, of which there are two.
#[test]
fn a_zip_directory_of_endless_entries_ends() {
    let good = zip_with(&tensor(4, 0, &[4], &[1]), &[0; 16]);
    let end = good.len() - 22;
    let mut many = good.clone();
    many[end + 10..end + 12].copy_from_slice(&65_534_u16.to_le_bytes());
    assert!(matches!(fault(&many), Fault::Damaged(_)));
    let start = u32::from_le_bytes(good[end + 16..end + 20].try_into().unwrap());
    let mut endless = good[..end].to_vec();
    endless.extend([&b"PK\x06\x06"[..], &[0; 28], &(1_u64 << 63).to_le_bytes(), &[0; 8]].concat());
    endless.extend(u64::from(start).to_le_bytes());
    endless.extend([&b"PK\x06\x07"[..], &[0; 4], &(end as u64).to_le_bytes(), &[0; 4]].concat());
    endless.extend(*b"PK\x05\x06\0\0\0\0");
    endless.extend([0xff; 12]);
    endless.extend([0; 2]);
    assert!(matches!(fault(&endless), Fault::Damaged(_)));
}

/// Storages that lie over each other would be read (and their checksums computed) again and again.
#[test]
fn storages_must_not_overlap() {
    const OUTER: usize = 4096;
    let mut pickle = b"\x80\x02}(".to_vec();
    for (key, count) in [(b'0', OUTER / 4), (b'1', OUTER / 4 - 10)] {
        let mut one = tensor(count as u32, 0, &[1], &[1]);
        let place = one.windows(3).position(|window| window == b"\x8c\x010").unwrap() + 2;
        one[place] = key;
        pickle.extend([&[0x8c, 1, key], &one[6..one.len() - 2]].concat());
    }
    pickle.extend(*b"u.");
    // The content of the first begins with the header of the second, which goes to the same end.
    let mut content = zip(&[("a/data/1", b"")])[..38].to_vec();
    content.resize(OUTER, 0);
    let good = zip(&[("a/data.pkl", &pickle), ("a/data/0", &content), ("a/data/1", &vec![0; OUTER - 40])]);
    assert!(read(&good).is_ok());
    let mut lying = zip(&[("a/data.pkl", &pickle), ("a/data/0", &content), ("a/data/1", b"")]);
    let inside = lying.windows(8).position(|window| window == b"a/data/0").unwrap() + 8;
    let entry = lying.windows(8).rposition(|window| window == b"a/data/1").unwrap() - 46;
    for (field, value) in [(20, OUTER - 40), (24, OUTER - 40), (42, inside)] {
        lying[entry + field..][..4].copy_from_slice(&(value as u32).to_le_bytes());
    }
    assert!(fault(&lying).to_string().contains("storages overlap"), "{}", fault(&lying));
}

/// 2⁶³ bytes of header, or as many as the format allows and the file has not.
#[test]
fn a_safetensors_header_of_any_length_is_checked_first() {
    for length in [1 << 63, u64::MAX, 100_000_000] {
        let file = [&length.to_le_bytes()[..], b"{}      "].concat();
        assert!(matches!(fault(&file), Fault::Damaged(_)));
    }
}

/// JSON that is nested deeply, where the format has values and where it has none.
#[test]
fn deep_json_is_refused() {
    let deep = ["[".repeat(200_000), "]".repeat(200_000)].concat();
    for header in [
        format!("{{\"a\":{deep}}}"),
        format!("{{\"__metadata__\":{{\"a\":{deep}}}}}"),
        format!("{{\"a\":{{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0],\"more\":{deep}}}}}"),
    ] {
        let file = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
        let _ = read(&file);
    }
}

/// A pipe is waited for without end, a device read without end.
#[cfg(target_os = "linux")]
#[test]
fn only_files_are_read() {
    for path in ["/dev/zero", "/"] {
        let message = wellfit_weights::read(std::path::Path::new(path)).unwrap_err().to_string();
        assert!(message.contains("where a file belongs"), "{message}");
    }
}
