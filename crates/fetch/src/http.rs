//! Requests with limits: no silence without end, no token for strangers.

use crate::redirect::{Origin, follow};
use crate::settings::Settings;
use std::time::Duration;
use ureq::http::header::{ACCEPT_ENCODING, AUTHORIZATION, IF_RANGE, LOCATION, RANGE, RETRY_AFTER};
use ureq::http::{HeaderMap, Method, Request};
use ureq::{Agent, Body, Timeout};
use wellfit_base::words::left_out;

/// How often a server may send on.
const REDIRECTS: u32 = 10;
/// The longest pause that a server may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Why a request failed.
#[derive(Debug)]
pub(crate) enum Problem {
    /// Another try may help, after a pause if the server asks for one.
    Passing(String, Option<Duration>),
    /// No try will help.
    Lasting(String),
    /// There is no such file.
    Missing(String),
}

impl Problem {
    pub(crate) fn passing(problem: impl Into<String>) -> Self {
        Self::Passing(problem.into(), None)
    }

    pub(crate) fn lasting(problem: impl Into<String>) -> Self {
        Self::Lasting(problem.into())
    }

    /// The sentence.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Passing(text, _) | Self::Lasting(text) | Self::Missing(text) => text,
        }
    }
}

/// Where an earlier download broke off.
#[derive(Debug, Clone, Default)]
pub(crate) struct From {
    pub(crate) start: u64,
    /// The strong ETag of what was received, if the server gave one.
    pub(crate) etag: Option<String>,
}

/// An answer with status 200 or 206.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The headers of the last answer.
    pub(crate) headers: HeaderMap,
    /// The headers of the first, which the hub sends along when it sends on.
    pub(crate) first: HeaderMap,
    pub(crate) body: Body,
}

/// A header as text.
pub(crate) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// What sends requests.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    /// Whose requests carry the token.
    origin: Option<Origin>,
    token: Option<String>,
}

impl Client {
    pub(crate) fn new(settings: &Settings) -> Self {
        let limits = &settings.limits;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("wellfit/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(limits.connect))
            .timeout_resolve(Some(limits.connect))
            .timeout_recv_response(Some(limits.stall))
            .timeout_per_read(Some(limits.stall))
            .timeout_per_write(Some(limits.stall));
        if !settings.proxies {
            config = config.proxy(None);
        }
        Self {
            agent: config.build().into(),
            origin: Origin::of(&settings.hub_url),
            token: settings.token.clone(),
        }
    }

    /// The file at `url`, from a place on if it is not the beginning.
    pub(crate) fn get(&self, url: &str, from: &From) -> Result<Answer, Problem> {
        self.request(&Method::GET, url, from, false)
    }

    /// What a server says of the file at `url`. An answer that sends on to another host counts, if it says what the file
    /// is: the hub's does.
    pub(crate) fn head(&self, url: &str) -> Result<HeaderMap, Problem> {
        Ok(self.request(&Method::HEAD, url, &From::default(), true)?.first)
    }

    fn request(&self, method: &Method, url: &str, from: &From, told: bool) -> Result<Answer, Problem> {
        let mut url = url.to_owned();
        let mut first: Option<HeaderMap> = None;
        for _ in 0..=REDIRECTS {
            let (parts, body) = self.send(method, &url, from)?.into_parts();
            let headers = parts.headers;
            let known = first.get_or_insert_with(|| headers.clone());
            let status = parts.status.as_u16();
            if !matches!(status, 301 | 302 | 303 | 307 | 308) {
                refuse(status, &headers)?;
                return Ok(Answer { status, first: known.clone(), headers, body });
            }
            if told && known.contains_key("x-linked-etag") {
                return Ok(Answer { status, first: known.clone(), headers, body });
            }
            // A model that was renamed is elsewhere on the same host; what it is stands in the next answer.
            let location = header(&headers, LOCATION.as_str());
            let location =
                location.ok_or_else(|| Problem::lasting("the server sends on, but not where to"))?;
            let next = follow(&url, location).map_err(Problem::Lasting)?;
            if Origin::of(&next) == Origin::of(&url) && !known.contains_key("x-repo-commit") {
                first = None;
            }
            url = next;
        }
        Err(Problem::lasting(format!("the server sends on more than {REDIRECTS} times")))
    }

    fn send(&self, method: &Method, url: &str, from: &From) -> Result<ureq::http::Response<Body>, Problem> {
        let origin = Origin::of(url);
        if origin.as_ref().is_some_and(Origin::is_encrypted) && !cfg!(feature = "https") {
            return Err(Problem::lasting(left_out("speaks http only", "https")));
        }
        let mut request = Request::builder().method(method).uri(url).header(ACCEPT_ENCODING, "identity");
        if from.start > 0 {
            request = request.header(RANGE, format!("bytes={}-", from.start));
            if let Some(etag) = &from.etag {
                request = request.header(IF_RANGE, etag);
            }
        }
        if let Some(token) = self.token.as_ref().filter(|_| origin.is_some() && origin == self.origin) {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(()).map_err(|error| Problem::lasting(error.to_string()))?;
        self.agent.run(request).map_err(|error| in_words(&error))
    }
}

/// An answer that brings no file.
fn refuse(status: u16, headers: &HeaderMap) -> Result<(), Problem> {
    let said = header(headers, "x-error-message").map_or_else(String::new, |text| format!(" ({text})"));
    let answered = format!("the server answered with status {status}{said}");
    Err(match status {
        200 | 206 => return Ok(()),
        401 | 403 => Problem::Lasting(format!(
            "{answered}: it forbids the download, or wants a token (HF_TOKEN for the hub)"
        )),
        404 | 410 => Problem::Missing(answered),
        408 | 416 | 425 | 429 | 500..=599 => {
            let pause = header(headers, RETRY_AFTER.as_str()).and_then(|text| text.trim().parse().ok());
            Problem::Passing(answered, pause.map(|pause| Duration::from_secs(pause).min(LONGEST_PAUSE)))
        }
        _ => Problem::Lasting(answered),
    })
}

fn in_words(error: &ureq::Error) -> Problem {
    use std::io::ErrorKind;
    match error {
        ureq::Error::Io(cause) if cause.kind() == ErrorKind::ConnectionRefused => {
            Problem::lasting("nobody answers there (connection refused)")
        }
        ureq::Error::Io(cause)
            if matches!(cause.kind(), ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable) =>
        {
            Problem::Lasting(format!("there is no network ({cause})"))
        }
        ureq::Error::HostNotFound => Problem::lasting("the host is not known; is there a network?"),
        ureq::Error::Timeout(Timeout::Connect | Timeout::Resolve) => Problem::lasting(
            "nobody answers there; is there a network, or a proxy to be named in HTTPS_PROXY?",
        ),
        ureq::Error::Timeout(_) => Problem::passing("the server fell silent"),
        ureq::Error::Io(_) | ureq::Error::Protocol(_) | ureq::Error::ConnectionFailed => {
            Problem::Passing(format!("the connection broke off ({error})"), None)
        }
        other => Problem::Lasting(other.to_string()),
    }
}
