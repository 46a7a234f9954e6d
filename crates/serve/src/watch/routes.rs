//! What a watched folder is asked: all paths begin with the token.

use super::news::{Folder, News};
use crate::access::check_host;
use crate::refusal::Refusal;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream::{Stream, unfold};
use serde::Deserialize;
use serde_json::json;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::sync::watch::Receiver;
use wellfit_record::{RecordError, RunDir};
use wellfit_report::ReportError;
use wellfit_report::live::{RunNews, live_list_page, live_run_page};

/// The most bytes of what is asked.
const MOST_BYTES: usize = 4096;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct Watched {
    pub address: SocketAddr,
    pub token: String,
    pub folder: Arc<Folder>,
    pub told: Receiver<News>,
}

/// All routes.
pub(crate) fn router(watched: Arc<Watched>) -> Router {
    let inside = Router::new()
        .route("/", get(list))
        .route("/run", get(run))
        .route("/events", get(events))
        .route("/ask", post(ask))
        .layer(DefaultBodyLimit::max(MOST_BYTES));
    Router::new()
        .nest_service("/{token}", inside.with_state(Arc::clone(&watched)))
        .fallback(|| async { nothing() })
        .layer(from_fn_with_state(watched, guarded))
}

fn nothing() -> Refusal {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "there is nothing here: take the whole address that `wellfit watch` printed",
    )
}

/// Refuses who does not know the token, and adds what protects the pages.
async fn guarded(State(watched): State<Arc<Watched>>, request: Request, next: Next) -> Response {
    let allowed = check_host(request.headers(), watched.address)
        .and_then(|()| if has_token(request.uri(), &watched.token) { Ok(()) } else { Err(nothing()) });
    let mut response = match allowed {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The address has the token in it.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Comparing takes the same time whatever is wrong with the token.
fn has_token(uri: &Uri, token: &str) -> bool {
    let given = uri.path().trim_start_matches('/').split('/').next().unwrap_or_default();
    bool::from(given.as_bytes().ct_eq(token.as_bytes()))
}

async fn list(State(watched): State<Arc<Watched>>) -> Result<Response, Refusal> {
    if watched.folder.only().is_some() {
        let name: String = form_encoded(&watched.folder.name());
        return Ok(Redirect::to(&format!("run?name={name}")).into_response());
    }
    Ok(Html(live_list_page(&watched.folder.name()).map_err(failed)?).into_response())
}

/// Text as a value in an address.
fn form_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { (byte as char).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

type Parameters<T> = Result<Query<T>, axum::extract::rejection::QueryRejection>;

async fn run(State(watched): State<Arc<Watched>>, named: Parameters<Named>) -> Result<Html<String>, Refusal> {
    let Query(Named { name }) = named.map_err(|problem| Refusal::bad(problem.body_text()))?;
    let path = watched.path(&name)?;
    let page = tokio::task::spawn_blocking(move || live_run_page(&path)).await;
    page.map_err(|problem| Refusal::failed(problem.to_string()))?.map(Html).map_err(failed)
}

#[derive(Debug, Deserialize)]
struct Of {
    name: Option<String>,
}

/// The news as Server-Sent Events: of all runs, or of one.
async fn events(
    State(watched): State<Arc<Watched>>,
    of: Parameters<Of>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Refusal> {
    let Query(Of { name }) = of.map_err(|problem| Refusal::bad(problem.body_text()))?;
    let mut told = watched.told.clone();
    told.mark_changed();
    let stream = unfold((told, name, String::new()), |(mut told, name, last)| async move {
        loop {
            // The end of the server.
            told.changed().await.ok()?;
            let text = message(&told.borrow_and_update(), name.as_deref());
            if text != last {
                return Some((Ok(Event::default().data(&text)), (told, name, text)));
            }
        }
    });
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

fn message(news: &[RunNews], name: Option<&str>) -> String {
    let wanted: Vec<&RunNews> = news.iter().filter(|run| name.is_none_or(|name| run.name == name)).collect();
    json!(wanted).to_string()
}

#[derive(Debug, Deserialize)]
struct Ask {
    name: String,
    #[serde(flatten)]
    request: wellfit_record::Request,
}

async fn ask(
    State(watched): State<Arc<Watched>>,
    asked: Result<Json<Ask>, axum::extract::rejection::JsonRejection>,
) -> Result<Response, Refusal> {
    let Json(Ask { name, request }) = asked.map_err(|problem| Refusal::bad(problem.body_text()))?;
    let path = watched.path(&name)?;
    let done =
        tokio::task::spawn_blocking(move || RunDir::open(&path).and_then(|run| run.ask(request))).await;
    match done.map_err(|problem| Refusal::failed(problem.to_string()))? {
        Ok(()) => Ok((StatusCode::ACCEPTED, Json(json!({ "asked": request }))).into_response()),
        Err(RecordError::NotAsked { problem, .. }) => Err(Refusal::new(StatusCode::CONFLICT, problem)),
        Err(other) => Err(Refusal::failed(other.to_string())),
    }
}

impl Watched {
    fn path(&self, name: &str) -> Result<PathBuf, Refusal> {
        let gone = || Refusal::new(StatusCode::NOT_FOUND, "there is no such run any more");
        self.folder.path(name).ok_or_else(gone)
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(problem: ReportError) -> Refusal {
    Refusal::failed(problem.to_string())
}
