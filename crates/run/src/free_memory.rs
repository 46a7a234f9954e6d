//! How much memory this process can still take: what the machine, its control groups and its limits leave.

use crate::figures::bytes;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use wellfit_base::{Shown, file};

/// An amount of memory that is free, and what says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Free {
    /// In bytes.
    pub bytes: u64,
    /// Where that was read, in words.
    pub from: String,
}

impl fmt::Display for Free {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of memory are free ({})", bytes(self.bytes), self.from)
    }
}

/// The least that one of them leaves; `None` where the system does not say, which is everywhere but on Linux.
pub(crate) fn free() -> Option<Free> {
    let read = |path: &Path| file::read_text(path, 1 << 20).ok();
    least(&read)
}

type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

fn least(read: Read<'_>) -> Option<Free> {
    let found = [machine(read), process_limits(read), groups(read)];
    found.into_iter().flatten().min_by_key(|free| free.bytes)
}

/// What Linux calls available: free, or page cache that it would give up.
fn machine(read: Read<'_>) -> Option<Free> {
    let info = read(Path::new("/proc/meminfo"))?;
    let bytes = kilobytes(&info, "MemAvailable:")?;
    Some(Free { bytes, from: "MemAvailable in /proc/meminfo".to_owned() })
}

/// What `ulimit -v` and `ulimit -d` leave.
fn process_limits(read: Read<'_>) -> Option<Free> {
    let (limits, status) = (read(Path::new("/proc/self/limits"))?, read(Path::new("/proc/self/status"))?);
    let left = |limit: &str, used: &str, ulimit: &str| {
        let line = limits.lines().find_map(|line| line.strip_prefix(limit))?;
        let limit: u64 = line.split_whitespace().next()?.parse().ok()?;
        let bytes = limit.saturating_sub(kilobytes(&status, used)?);
        Some(Free { bytes, from: format!("{ulimit} less what the process has") })
    };
    let all =
        [left("Max address space", "VmSize:", "ulimit -v"), left("Max data size", "VmData:", "ulimit -d")];
    all.into_iter().flatten().min_by_key(|free| free.bytes)
}

/// A line such as `MemAvailable:   12 kB`, in bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The names of a version of control groups.
struct Version {
    /// The type of the file system they are in.
    file_system: &'static str,
    /// The controller in `/proc/self/cgroup`; in version 2 the line has none.
    controller: &'static str,
    /// The files of limits.
    limits: &'static [&'static str],
    /// The file of the bytes in use.
    usage: &'static str,
    /// The counts in `memory.stat` of page cache that is given up where memory is short, the group's children included.
    cache: &'static [&'static str],
}

/// Source: the kernel's admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
const VERSIONS: [Version; 2] = [
    Version {
        file_system: "cgroup2",
        controller: "",
        limits: &["memory.max", "memory.high"],
        usage: "memory.current",
        cache: &["inactive_file", "active_file", "slab_reclaimable"],
    },
    Version {
        file_system: "cgroup",
        controller: "memory",
        limits: &["memory.limit_in_bytes"],
        usage: "memory.usage_in_bytes",
        cache: &["total_inactive_file", "total_active_file"],
    },
];

/// The least that a control group of the process leaves, its own or one above it: each limits all below it.
fn groups(read: Read<'_>) -> Option<Free> {
    let (groups, mounts) = (read(Path::new("/proc/self/cgroup"))?, read(Path::new("/proc/self/mountinfo"))?);
    let of = |version: &Version| {
        let own = group_of(&groups, version.controller)?;
        let all = mounted(&mounts, version, &own)?;
        all.iter().flat_map(|folder| left(read, version, folder)).min_by_key(|free| free.bytes)
    };
    VERSIONS.iter().filter_map(of).min_by_key(|free| free.bytes)
}

/// The path of the process's group in a hierarchy, from lines such as `4:memory:/user/1`.
fn group_of(groups: &str, controller: &str) -> Option<PathBuf> {
    let mut lines = groups.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'));
    lines.find(|(names, _)| names.split(',').any(|name| name == controller)).map(|(_, path)| path.into())
}

/// The folders of a group and of those above it, as far as they are mounted here. In a container the mount may begin at
/// the container's own group, and the group's path may be told from there or from the machine's root.
fn mounted(mounts: &str, version: &Version, group: &Path) -> Option<Vec<PathBuf>> {
    let (root, point) = mounts.lines().find_map(|line| {
        let (mount, file_system) = line.split_once(" - ")?;
        let mut kind = file_system.split(' ');
        let right = kind.next()? == version.file_system
            && kind.nth(1).is_some_and(|options| {
                version.controller.is_empty() || options.split(',').any(|name| name == version.controller)
            });
        let mut fields = mount.split(' ').skip(3);
        right.then_some((fields.next()?, fields.next()?))
    })?;
    let relative = group.strip_prefix(root).or_else(|_| group.strip_prefix("/")).ok()?;
    // A group outside the container's view begins with `..`; only the mount's own root is known then.
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let own = Path::new(point).join(if inside { relative } else { Path::new("") });
    Some(own.ancestors().take_while(|folder| folder.starts_with(point)).map(Path::to_path_buf).collect())
}

/// What the limits of one group leave: page cache that is in no one's way counts as free.
fn left(read: Read<'_>, version: &Version, folder: &Path) -> Vec<Free> {
    let number = |name: &str| read(&folder.join(name))?.trim().parse::<u64>().ok();
    let Some(usage) = number(version.usage) else { return Vec::new() };
    let statistics = read(&folder.join("memory.stat")).unwrap_or_default();
    let count = |line: &str| {
        let (name, count) = line.split_once(' ')?;
        version.cache.contains(&name).then(|| count.trim().parse::<u64>().ok())?
    };
    let cache: u64 = statistics.lines().filter_map(count).sum();
    let of = |name: &&str| {
        let bytes = number(name)?.saturating_sub(usage.saturating_sub(cache));
        let from = format!("{} less what its processes have", folder.join(name).shown());
        Some(Free { bytes, from })
    };
    version.limits.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::{Read, groups, least, machine, process_limits};
    use std::path::Path;

    /// A system with these files.
    fn system<'a>(files: &'a [(&'a str, &'a str)]) -> impl Fn(&Path) -> Option<String> + 'a {
        move |path| files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned())
    }

    fn bytes(found: fn(Read<'_>) -> Option<super::Free>, files: &[(&str, &str)]) -> Option<u64> {
        found(&system(files)).map(|free| free.bytes)
    }

    const V2: (&str, &str) =
        ("/proc/self/mountinfo", "25 22 0:23 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate");
    const GROUP: (&str, &str) = ("/proc/self/cgroup", "0::/user.slice/job");

    #[test]
    fn the_machine_says_what_is_available() {
        let info = "MemTotal: 16 kB\nMemFree:   1 kB\nMemAvailable:      12 kB\n";
        assert_eq!(bytes(machine, &[("/proc/meminfo", info)]), Some(12 * 1024));
        assert_eq!(bytes(machine, &[("/proc/meminfo", "MemTotal: 16 kB")]), None);
        assert_eq!(bytes(least, &[]), None);
    }

    #[test]
    fn address_space_and_data_are_limited() {
        let status = ("/proc/self/status", "VmSize:\t 100 kB\nVmData:\t 30 kB\n");
        let limits = "Limit      Soft Limit  Hard Limit  Units\nMax data size   50000  unlimited  bytes\n\
                      Max address space  200000  unlimited bytes\n";
        let found = process_limits(&system(&[status, ("/proc/self/limits", limits)])).unwrap();
        assert_eq!(
            (found.bytes, found.from.as_str()),
            (50_000 - 30 * 1024, "ulimit -d less what the process has")
        );
        let space = limits.replace("50000", "unlimited");
        assert_eq!(
            bytes(process_limits, &[status, ("/proc/self/limits", &space)]),
            Some(200_000 - 100 * 1024)
        );
        let none = space.replace("200000", "unlimited");
        assert_eq!(bytes(process_limits, &[status, ("/proc/self/limits", &none)]), None);
    }

    #[test]
    fn page_cache_of_the_group_counts_as_free() {
        let files = [
            V2,
            GROUP,
            ("/sys/fs/cgroup/user.slice/job/memory.max", "900000\n"),
            ("/sys/fs/cgroup/user.slice/job/memory.current", "880000\n"),
            (
                "/sys/fs/cgroup/user.slice/job/memory.stat",
                "anon 100000\nfile 700000\ninactive_file 500000\nactive_file 200000\nslab_reclaimable 10000\n",
            ),
        ];
        assert_eq!(bytes(groups, &files), Some(900_000 - 170_000));
    }

    #[test]
    fn the_tightest_of_the_groups_above_counts() {
        let files = [
            V2,
            GROUP,
            ("/sys/fs/cgroup/user.slice/job/memory.max", "max\n"),
            ("/sys/fs/cgroup/user.slice/job/memory.high", "5000\n"),
            ("/sys/fs/cgroup/user.slice/job/memory.current", "1000\n"),
            ("/sys/fs/cgroup/user.slice/memory.max", "4500\n"),
            ("/sys/fs/cgroup/user.slice/memory.current", "1500\n"),
        ];
        let found = groups(&system(&files)).unwrap();
        assert_eq!(found.bytes, 3000);
        assert_eq!(found.from, "/sys/fs/cgroup/user.slice/memory.max less what its processes have");
    }

    #[test]
    fn a_container_sees_its_own_group_as_the_root() {
        let inside = [
            ("/proc/self/mountinfo", "30 29 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw"),
            ("/proc/self/cgroup", "0::/docker/abc/worker"),
            ("/sys/fs/cgroup/worker/memory.max", "max"),
            ("/sys/fs/cgroup/worker/memory.current", "5"),
            ("/sys/fs/cgroup/memory.max", "700"),
            ("/sys/fs/cgroup/memory.current", "200"),
        ];
        assert_eq!(bytes(groups, &inside), Some(500));
        // With a namespace of its own, from the container's root; outside of it, with `..`.
        for own in ["0::/", "0::/../other"] {
            let mut files = inside;
            files[1].1 = own;
            assert_eq!(bytes(groups, &files), Some(500), "{own}");
        }
    }

    #[test]
    fn version_1_has_other_names() {
        let mounts = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n\
                      32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
                      35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n";
        let files = [
            ("/proc/self/mountinfo", mounts),
            ("/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/jobs/7\n0::/\n"),
            ("/sys/fs/cgroup/memory/jobs/7/memory.limit_in_bytes", "9223372036854771712\n"),
            ("/sys/fs/cgroup/memory/jobs/7/memory.usage_in_bytes", "300\n"),
            ("/sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "1000\n"),
            ("/sys/fs/cgroup/memory/jobs/memory.usage_in_bytes", "900\n"),
            (
                "/sys/fs/cgroup/memory/jobs/memory.stat",
                "cache 400\ntotal_inactive_file 350\ntotal_active_file 50\n",
            ),
        ];
        assert_eq!(bytes(groups, &files), Some(500));
    }
}
