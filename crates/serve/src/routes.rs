//! What may be asked.

use crate::access::{check_host, check_token};
use crate::live::Live;
use crate::metrics::Metrics;
use crate::queue::{Answered, Queue, reason};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::upload::Uploads;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use wellfit_data::ImageRef;
use wellfit_run::{Explanation, Prediction, explanation_sheet, prediction_json};

/// The paths, as they are counted.
const PATHS: [&str; 7] = ["/", "/explain", "/health", "/metrics", "/model", "/openapi.json", "/predict"];
/// Those that need no token: they tell nothing of the model, and a browser must load the page to be given the token.
const OPEN: [&str; 3] = ["/", "/health", "/openapi.json"];
/// How many classes of an image are told.
const TOP: usize = 5;

/// What all requests share.
#[derive(Debug)]
pub(crate) struct App {
    pub address: SocketAddr,
    pub token: Option<String>,
    pub live: Arc<Live>,
    pub queue: Queue,
    pub uploads: Uploads,
    pub metrics: Arc<Metrics>,
    /// One Grad-CAM at a time: it needs the processor for itself.
    pub explaining: Arc<Semaphore>,
}

impl App {
    pub fn new(
        address: SocketAddr,
        settings: Settings,
        live: Arc<Live>,
        queue: Queue,
        metrics: Arc<Metrics>,
    ) -> Self {
        let token = settings.token.clone();
        let explaining = Arc::new(Semaphore::new(1));
        Self { address, token, live, queue, uploads: Uploads::new(settings), metrics, explaining }
    }
}

/// All routes.
pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .route("/model", get(model))
        .route("/openapi.json", get(openapi))
        .route("/predict", post(predict))
        .route("/explain", post(explain))
        .fallback(|| async {
            Refusal::new(StatusCode::NOT_FOUND, "there is nothing here: see /openapi.json")
        })
        // The upload has its own limit.
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn_with_state(Arc::clone(&app), guarded))
        .with_state(app)
}

/// Refuses who may not ask, counts, and adds what protects the page.
async fn guarded(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let path = PATHS.into_iter().find(|path| request.uri().path() == *path).unwrap_or("other");
    let mut allowed = check_host(request.headers(), app.address);
    if !OPEN.contains(&path) {
        allowed = allowed.and_then(|()| check_token(request.headers(), app.token.as_deref()));
    }
    let mut response = match allowed {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    };
    app.metrics.request(path, response.status().as_u16(), began.elapsed());
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The page runs its own script and asks its own server, nothing else.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                           img-src blob: data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

async fn page() -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], include_str!("page.html")).into_response()
}

async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response()
}

async fn health(State(app): State<Arc<App>>) -> Result<Json<Value>, Refusal> {
    if !app.queue.is_alive() {
        return Err(Refusal::failed("nothing computes any more: start the server again"));
    }
    Ok(Json(json!({ "status": "ok" })))
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.text(app.queue.waiting())).into_response()
}

async fn model(State(app): State<Arc<App>>) -> Json<Value> {
    let classifier = app.live.current();
    let (height, width) = classifier.preprocessing.size;
    let classes = &classifier.classes;
    Json(json!({ "model": classifier.network.name, "classes": classes, "image_size": [height, width] }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    top: Option<usize>,
}

type Parameters<T> = Result<Query<T>, axum::extract::rejection::QueryRejection>;

async fn predict(
    State(app): State<Arc<App>>,
    asked: Parameters<Asked>,
    request: Request,
) -> Result<Response, Refusal> {
    let top = asked.map_err(|problem| Refusal::bad(problem.body_text()))?.top.unwrap_or(TOP);
    if top == 0 {
        return Err(Refusal::bad("`top` must be at least 1"));
    }
    let upload = app.uploads.read(request).await?;
    let Answered { classifier, predictions } = app.queue.answers(upload.images.clone()).await?;
    let none = predictions.iter().all(Result::is_err);
    let pairs = upload.images.iter().zip(&predictions);
    let values = pairs.map(|(image, one)| value(image, one, &classifier.classes, top));
    let answer = json!({ "model": classifier.network.name, "predictions": values.collect::<Vec<_>>() });
    let status = if none { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok((status, Json(answer)).into_response())
}

/// An image's answer, as `predict --json` writes it.
fn value(image: &ImageRef, outcome: &Result<Prediction, String>, classes: &[String], top: usize) -> Value {
    let top = outcome.as_ref().map(|prediction| prediction.top(classes, top));
    prediction_json(&image.name, top.as_deref().map_err(|reason| reason.as_str()))
}

async fn explain(State(app): State<Arc<App>>, request: Request) -> Result<Response, Refusal> {
    let upload = app.uploads.read(request).await?;
    let [image] = &upload.images[..] else {
        return Err(Refusal::bad("one image at a time is explained"));
    };
    let image = image.clone();
    let turn = Arc::clone(&app.explaining).try_acquire_owned().map_err(|_| Refusal::busy())?;
    let classifier = app.live.current();
    let drawn = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        let unusable = |why: String| Refusal::new(StatusCode::UNPROCESSABLE_ENTITY, why);
        let explained = classifier.explain(std::slice::from_ref(&image), None);
        let explained = explained.map_err(|problem| unusable(problem.to_string()))?;
        let explained: Vec<Explanation> =
            explained.into_iter().collect::<Result<_, _>>().map_err(|problem| unusable(reason(problem)))?;
        let pairs: Vec<(String, Explanation)> = explained
            .into_iter()
            .map(|explanation| (image.name.to_string_lossy().into_owned(), explanation))
            .collect();
        explanation_sheet(&pairs, &classifier.classes, "Grad-CAM")
            .map_err(|problem| Refusal::failed(problem.to_string()))
    });
    let png = drawn.await.map_err(|problem| Refusal::failed(problem.to_string()))??;
    Ok(([(header::CONTENT_TYPE, "image/png")], png).into_response())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_described() {
        let described: Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
        let described: Vec<&str> =
            described["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(described, PATHS);
    }
}
