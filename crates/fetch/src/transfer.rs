//! One download: from an address to a file of which everything that is known was checked.

use crate::content::Content;
use crate::event::{Event, Watch};
use crate::http::{Answer, Client, From, Problem, header};
use crate::settings::Limits;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use wellfit_base::partial::Partial;
use wellfit_base::{atomic, file};

/// Bytes read at a time.
const CHUNK: usize = 1 << 16;
/// A try that brought so many bytes got on.
const STEP: u64 = 1 << 20;
/// The longest ETag that is kept.
const MOST_ETAG: u64 = 1 << 10;

/// A file to be downloaded.
pub(crate) struct Order<'a> {
    pub(crate) client: &'a Client,
    pub(crate) limits: &'a Limits,
    pub(crate) url: &'a str,
    pub(crate) content: &'a Content,
    /// Where the file grows.
    pub(crate) part: PathBuf,
}

/// Why there is no file.
pub(crate) enum Failure {
    Server(Problem),
    Disk(std::io::Error),
}

impl std::convert::From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Server(problem)
    }
}

impl std::convert::From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error)
    }
}

impl Order<'_> {
    /// Download, again and again as long as that may help: the file, still under its name for now, and its SHA-256.
    pub(crate) fn fill(&self, watch: &mut Watch<'_>) -> Result<(Partial, String), Failure> {
        let mut partial = Partial::open(&self.part)?;
        if !self.content.is_sure() {
            partial.clear()?;
        }
        watch(Event::Download { url: self.url, resumed: partial.length() });
        let (mut tries, mut best) = (Tries::new(self.limits), partial.length());
        loop {
            let problem = match self.attempt(&mut partial, watch) {
                Ok(sha256) => {
                    let _ = std::fs::remove_file(self.etag_path());
                    return Ok((partial, sha256));
                }
                Err(Failure::Server(problem)) => problem,
                Err(failure) => return Err(failure),
            };
            if partial.length() >= best + STEP {
                (tries, best) = (Tries::new(self.limits), partial.length());
            }
            if let Err(problem) = tries.again(problem, watch) {
                if partial.length() == 0 {
                    let _ = partial.discard();
                    let _ = std::fs::remove_file(self.etag_path());
                }
                return Err(problem.into());
            }
            if !self.content.is_sure() {
                partial.clear()?;
            }
        }
    }

    fn etag_path(&self) -> PathBuf {
        self.part.with_extension("etag")
    }

    /// One request, and what it brings.
    fn attempt(&self, partial: &mut Partial, watch: &mut Watch<'_>) -> Result<String, Failure> {
        if self.content.length().is_some_and(|length| partial.length() > length) {
            partial.clear()?;
        }
        let resumed = partial.length();
        if resumed == 0 || self.content.length() != Some(resumed) {
            self.receive(partial, watch)?;
        }
        match self.content.check(partial.path()) {
            Ok(sha256) => Ok(sha256),
            // The part may be of another file, or damaged: once more from the beginning.
            Err(problem) => {
                partial.clear()?;
                Err(if resumed > 0 {
                    Problem::passing(format!("what was received does not fit together: {problem}"))
                } else {
                    Problem::lasting(format!("the server sent another file: {problem}"))
                }
                .into())
            }
        }
    }

    fn receive(&self, partial: &mut Partial, watch: &mut Watch<'_>) -> Result<(), Failure> {
        let etag = file::read_text(&self.etag_path(), MOST_ETAG).ok().filter(|etag| !etag.is_empty());
        let from = From { start: partial.length(), etag };
        let answer = match self.client.get(self.url, &from) {
            // The part is longer than the file, or the server cannot go on.
            Err(Problem::Passing(problem, pause)) if from.start > 0 && problem.contains("status 416") => {
                partial.clear()?;
                return Err(Problem::Passing(problem, pause).into());
            }
            answer => answer?,
        };
        refuse_wrong_kind(&answer)?;
        let total = self.agree(&answer, &from, partial)?;
        let most = self.content.most(self.limits.largest);
        if let Some(total) = total.filter(|total| *total > most) {
            return Err(
                Problem::lasting(format!("the file has {total} bytes; at most {most} are right")).into()
            );
        }
        if let Some((total, length)) = total.zip(self.content.length())
            && total != length
        {
            return Err(Problem::lasting(format!("the file has {total} bytes, not {length}")).into());
        }
        self.pour(answer, partial, total, most, watch)
    }

    /// Make the part fit the answer: keep it where the answer goes on with it, else begin again. Returns the bytes of
    /// the whole file, if the server says.
    fn agree(&self, answer: &Answer, from: &From, partial: &mut Partial) -> Result<Option<u64>, Failure> {
        let length = header(&answer.headers, "content-length").and_then(|text| text.parse::<u64>().ok());
        let etag = header(&answer.headers, "etag").filter(|etag| etag.starts_with('"')).unwrap_or_default();
        if answer.status == 206 {
            let range = header(&answer.headers, "content-range").and_then(content_range);
            let same = from.etag.as_deref().is_none_or(|before| before == etag);
            let Some((start, total)) = range.filter(|(start, _)| *start == from.start && same) else {
                partial.clear()?;
                let _ = std::fs::remove_file(self.etag_path());
                return Err(Problem::passing("the server goes on with another file, or elsewhere").into());
            };
            return Ok(total.or(length.map(|length| start + length)));
        }
        partial.clear()?;
        atomic::replace(&self.etag_path(), etag.as_bytes())?;
        Ok(length)
    }

    /// The body to the end of the part.
    fn pour(
        &self,
        answer: Answer,
        partial: &mut Partial,
        total: Option<u64>,
        most: u64,
        watch: &mut Watch<'_>,
    ) -> Result<(), Failure> {
        let mut body = answer.body.into_reader();
        let mut chunk = vec![0; CHUNK];
        let mut pace = Pace::new(self.limits);
        let file = file_name(self.url);
        loop {
            let read = match body.read(&mut chunk) {
                Ok(read) => read,
                Err(error) => return Err(broken(&error, partial.length(), total).into()),
            };
            if read == 0 {
                break;
            }
            if partial.length() + read as u64 > most {
                partial.clear()?;
                return Err(Problem::lasting(format!("the server sends more than {most} bytes")).into());
            }
            partial.append(&chunk[..read])?;
            watch(Event::Progress { file, received: partial.length(), total });
            pace.took(read as u64)?;
        }
        match total {
            Some(total) if partial.length() < total => {
                let text = format!("the connection broke off after {} of {total} bytes", partial.length());
                Err(Problem::passing(text).into())
            }
            _ => Ok(()),
        }
    }
}

/// An answer that cannot be the file, whatever its bytes.
fn refuse_wrong_kind(answer: &Answer) -> Result<(), Problem> {
    if let Some(coding) = header(&answer.headers, "content-encoding").filter(|coding| *coding != "identity") {
        return Err(Problem::Lasting(format!(
            "the server packs the file ({coding}), though it was asked not to"
        )));
    }
    let kind = header(&answer.headers, "content-type").unwrap_or_default();
    if kind.starts_with("text/html") {
        return Err(Problem::lasting("the server sent a web page instead; does the network want a log-in?"));
    }
    Ok(())
}

fn broken(error: &std::io::Error, received: u64, total: Option<u64>) -> Problem {
    let of = total.map_or_else(String::new, |total| format!(" of {total}"));
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<ureq::Error>());
    let what = match cause {
        Some(ureq::Error::Timeout(_)) => "the server fell silent".to_owned(),
        _ => format!("the connection broke off ({error})"),
    };
    Problem::Passing(format!("{what} after {received}{of} bytes"), None)
}

/// The first byte and the length of the whole file, from `bytes 5-9/10`.
fn content_range(text: &str) -> Option<(u64, Option<u64>)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    Some((range.split_once('-')?.0.trim().parse().ok()?, total.trim().parse().ok()))
}

/// The last part of an address.
pub(crate) fn file_name(url: &str) -> &str {
    let path = url.split('?').next().unwrap_or_default();
    path.rsplit('/').next().unwrap_or_default()
}

/// The part of a file while it grows.
pub(crate) fn part_of(target: &Path, suffix: &str) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    target.with_file_name(name)
}

/// How often something was tried without getting on.
pub(crate) struct Tries<'a> {
    limits: &'a Limits,
    failed: u32,
}

impl<'a> Tries<'a> {
    pub(crate) const fn new(limits: &'a Limits) -> Self {
        Self { limits, failed: 0 }
    }

    /// Wait for the next try after a passing problem.
    ///
    /// # Errors
    /// If no try will help, or there were enough.
    pub(crate) fn again(&mut self, problem: Problem, watch: &mut Watch<'_>) -> Result<(), Problem> {
        let Problem::Passing(problem, asked) = problem else { return Err(problem) };
        self.failed += 1;
        if self.failed >= self.limits.attempts {
            return Err(Problem::Lasting(format!("{problem}, {} times in a row", self.failed)));
        }
        let pause = asked.unwrap_or(self.limits.pause * (1 << (self.failed - 1).min(6)));
        watch(Event::Retry { problem: &problem, pause });
        std::thread::sleep(pause);
        Ok(())
    }
}

/// Watches that bytes keep coming.
struct Pace {
    began: Instant,
    bytes: u64,
    window: Duration,
    least: u64,
}

impl Pace {
    fn new(limits: &Limits) -> Self {
        let least = (limits.slowest as f64 * limits.stall.as_secs_f64()) as u64;
        Self { began: Instant::now(), bytes: 0, window: limits.stall, least }
    }

    fn took(&mut self, bytes: u64) -> Result<(), Problem> {
        self.bytes += bytes;
        if self.began.elapsed() < self.window {
            return Ok(());
        }
        if self.bytes < self.least {
            let (bytes, seconds) = (self.bytes, self.window.as_secs_f64());
            return Err(Problem::Passing(format!("the server sent only {bytes} bytes in {seconds} s"), None));
        }
        (self.began, self.bytes) = (Instant::now(), 0);
        Ok(())
    }
}
