//! Runs a command under `ptrace` and lets a chosen system call fail, or be the last thing that the process does.

use super::calls::{Call, Effect, decode};
use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Longer than any command of a test takes: one that is still there hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// What happens instead of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The process is killed before it.
    Kill,
    /// It fails with that error and does nothing.
    Fail(Errno),
    /// Only the first half of the bytes is written.
    Short,
}

/// Which of the calls that count are hit.
#[derive(Debug, Clone, Copy)]
pub enum When {
    /// That one, from 0.
    Nth(usize),
    /// That one and all after it.
    From(usize),
}

/// What goes wrong.
pub struct Fault {
    pub what: What,
    pub when: When,
    /// The calls that count.
    pub which: fn(&Call) -> bool,
}

/// What came of a command.
#[derive(Debug)]
pub struct Seen {
    /// The calls that touch files, in their order.
    pub calls: Vec<Call>,
    /// Those that were hit.
    pub hit: Vec<Call>,
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    pub hung: bool,
    pub stderr: String,
}

/// Whether this process may trace others; the reason if not.
pub fn available() -> Result<(), String> {
    let mut child = Command::new("sleep").arg("60").spawn().map_err(|error| error.to_string())?;
    let attached = ptrace::attach(pid(&child));
    let _ = child.kill();
    let _ = child.wait();
    attached
        .map_err(|error| format!("this system does not let a process trace another one (ptrace: {error})"))
}

fn pid(child: &std::process::Child) -> Pid {
    Pid::from_raw(child.id() as i32)
}

/// Run a command; what it does to files below `roots` counts.
pub fn run(command: &Command, roots: &[PathBuf], fault: Option<&Fault>) -> Seen {
    let errors = tempfile::NamedTempFile::new().unwrap();
    let mut shell = Command::new("sh");
    // It waits until it is traced.
    shell
        .args(["-c", "read go; exec \"$0\" \"$@\" </dev/null"])
        .arg(command.get_program())
        .args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap_or(Path::new(".")));
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(errors.reopen().unwrap());
    let mut child = shell.spawn().unwrap();
    let main = pid(&child);
    ptrace::attach(main).unwrap();
    waitpid(main, Some(WaitPidFlag::__WALL)).unwrap();
    let options = [
        Options::PTRACE_O_TRACESYSGOOD,
        Options::PTRACE_O_TRACECLONE,
        Options::PTRACE_O_TRACEFORK,
        Options::PTRACE_O_TRACEVFORK,
        Options::PTRACE_O_TRACEEXEC,
        Options::PTRACE_O_EXITKILL,
    ];
    ptrace::setoptions(main, options.into_iter().collect()).unwrap();
    ptrace::syscall(main, None).unwrap();
    child.stdin.take().unwrap().write_all(b"\n").unwrap();

    let (done, watched) = mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        let hangs = watched.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout);
        if hangs {
            let _ = kill(main, Signal::SIGKILL);
        }
        hangs
    });
    let mut traced =
        Traced { main, roots, fault, armed: false, inside: HashSet::new(), pending: HashMap::new() };
    let mut seen =
        Seen { calls: Vec::new(), hit: Vec::new(), code: None, hung: false, stderr: String::new() };
    traced.follow(&mut seen);
    // It was waited for already.
    let _ = child.wait();
    drop(done);
    // The watchdog hears of the end by the closed channel.
    seen.hung = watchdog.join().unwrap();
    seen.stderr = fs::read_to_string(errors.path()).unwrap_or_default();
    seen
}

struct Traced<'a> {
    main: Pid,
    roots: &'a [PathBuf],
    fault: Option<&'a Fault>,
    /// Once the shell has become the command.
    armed: bool,
    /// The threads that are within a call.
    inside: HashSet<Pid>,
    /// What is to be put right at the end of a call.
    pending: HashMap<Pid, Pending>,
}

enum Pending {
    Return(Errno),
    /// The length that the caller believes it gave.
    Length(u64),
}

impl Traced<'_> {
    fn follow(&mut self, seen: &mut Seen) {
        let mut known = HashSet::from([self.main]);
        let mut counted = 0;
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            let (thread, signal) = match waitpid(Pid::from_raw(-1), Some(flags)) {
                Err(Errno::ECHILD) => return,
                Err(Errno::EINTR) => continue,
                Err(error) => panic!("waitpid: {error}"),
                Ok(WaitStatus::Exited(thread, code)) => {
                    if thread == self.main {
                        seen.code = Some(code);
                    }
                    continue;
                }
                Ok(WaitStatus::PtraceSyscall(thread)) => {
                    self.stopped(thread, seen, &mut counted);
                    (thread, None)
                }
                Ok(WaitStatus::PtraceEvent(thread, _, event)) => {
                    if event == libc::PTRACE_EVENT_EXEC {
                        self.armed = true;
                    }
                    (thread, None)
                }
                // A new thread begins with a stop of the tracer's.
                Ok(WaitStatus::Stopped(thread, Signal::SIGSTOP)) if known.insert(thread) => (thread, None),
                Ok(WaitStatus::Stopped(thread, signal)) => (thread, Some(signal)),
                Ok(_) => continue,
            };
            known.insert(thread);
            // It may have been killed meanwhile.
            let _ = ptrace::syscall(thread, signal);
        }
    }

    /// A thread is about to make a call, or has made it.
    fn stopped(&mut self, thread: Pid, seen: &mut Seen, counted: &mut usize) {
        if self.inside.remove(&thread) {
            if let Some(pending) = self.pending.remove(&thread) {
                let Ok(mut registers) = ptrace::getregs(thread) else { return };
                match pending {
                    Pending::Return(error) => registers.rax = -i64::from(error as i32) as u64,
                    Pending::Length(length) => registers.rdx = length,
                }
                let _ = ptrace::setregs(thread, registers);
            }
            return;
        }
        self.inside.insert(thread);
        if !self.armed {
            return;
        }
        let Ok(mut registers) = ptrace::getregs(thread) else { return };
        let arguments = [registers.rdi, registers.rsi, registers.rdx];
        let Some(call) = decode(thread.as_raw(), registers.orig_rax as i64, arguments, self.roots) else {
            return;
        };
        seen.calls.push(call.clone());
        let Some(fault) = self.fault.filter(|fault| (fault.which)(&call)) else { return };
        let number = *counted;
        *counted += 1;
        let hit = match fault.when {
            When::Nth(nth) => number == nth,
            When::From(first) => number >= first,
        };
        if !hit {
            return;
        }
        match fault.what {
            What::Kill => {
                registers.orig_rax = u64::MAX;
                kill(self.main, Signal::SIGKILL).unwrap();
            }
            What::Fail(error) => {
                registers.orig_rax = u64::MAX;
                self.pending.insert(thread, Pending::Return(error));
            }
            What::Short => {
                self.pending.insert(thread, Pending::Length(registers.rdx));
                registers.rdx = registers.rdx.div_ceil(2);
            }
        }
        let _ = ptrace::setregs(thread, registers);
        seen.hit.push(call);
    }
}

/// Calls that may need space on the disk.
pub fn fills(call: &Call) -> bool {
    call.effect == Effect::Fills
}

/// Calls that change the disk.
pub fn changes(call: &Call) -> bool {
    call.effect != Effect::Reads
}

/// Every call.
pub fn any(_: &Call) -> bool {
    true
}

/// Calls that write more than one byte.
pub fn writes(call: &Call) -> bool {
    call.length.is_some_and(|length| length > 1)
}
