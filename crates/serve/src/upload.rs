//! The images of a request: its body alone, a form of files, or JSON.

use crate::refusal::Refusal;
use crate::settings::Settings;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request};
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt;
use serde::Deserialize;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use wellfit_data::ImageRef;

/// What was sent.
#[derive(Debug)]
pub(crate) struct Upload {
    /// Its images, with the names that they were sent with.
    pub images: Vec<ImageRef>,
    /// The memory it takes, given back with it.
    pub _memory: Option<OwnedSemaphorePermit>,
}

/// Reads requests within the limits.
#[derive(Debug)]
pub(crate) struct Uploads {
    settings: Settings,
    memory: Arc<Semaphore>,
}

impl Uploads {
    pub fn new(settings: Settings) -> Self {
        let memory = Arc::new(Semaphore::new(settings.all_bytes.min(Semaphore::MAX_PERMITS)));
        Self { settings, memory }
    }

    /// The images of a request, at least one.
    pub async fn read(&self, request: Request) -> Result<Upload, Refusal> {
        let (parts, body) = request.into_parts();
        let reading = tokio::time::timeout(self.settings.timeout, self.body(body));
        let late = || {
            let seconds = self.settings.timeout.as_secs_f64();
            Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                format!("the request took longer than {seconds} s to arrive"),
            )
        };
        let (bytes, _memory) = reading.await.map_err(|_| late())??;
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        let images = if kind.eq_ignore_ascii_case("multipart/form-data") {
            form(parts.headers, bytes).await?
        } else if kind.eq_ignore_ascii_case("application/json") {
            json(&bytes)?
        } else {
            vec![("image".to_owned(), bytes)]
        };
        if images.iter().all(|(_, bytes)| bytes.is_empty()) {
            return Err(Refusal::bad("the request holds no image"));
        }
        let image = |(name, bytes): (String, Bytes)| ImageRef::encoded(name.into(), bytes[..].into());
        Ok(Upload { images: images.into_iter().map(image).collect(), _memory })
    }

    /// All of a body, if it is small enough and there is memory for it.
    async fn body(&self, mut body: Body) -> Result<(Bytes, Option<OwnedSemaphorePermit>), Refusal> {
        let mut bytes = Vec::new();
        let mut memory: Option<OwnedSemaphorePermit> = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|problem| Refusal::bad(format!("the request broke off: {problem}")))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > self.settings.request_bytes {
                let most = self.settings.request_bytes >> 20;
                let sentence = format!("a request may have {most} MiB at most");
                return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, sentence));
            }
            let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let more =
                Arc::clone(&self.memory).try_acquire_many_owned(length).map_err(|_| Refusal::busy())?;
            match &mut memory {
                Some(memory) => memory.merge(more),
                None => memory = Some(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok((bytes.into(), memory))
    }
}

/// The files of a form, whatever its fields are called.
async fn form(headers: HeaderMap, bytes: Bytes) -> Result<Vec<(String, Bytes)>, Refusal> {
    let mut request = Request::new(Body::from(bytes));
    *request.headers_mut() = headers;
    DefaultBodyLimit::disable().apply(&mut request);
    let broken =
        |problem: &dyn std::fmt::Display| Refusal::bad(format!("the form cannot be read: {problem}"));
    let mut fields = Multipart::from_request(request, &()).await.map_err(|problem| broken(&problem))?;
    let mut images = Vec::new();
    while let Some(field) = fields.next_field().await.map_err(|problem| broken(&problem.body_text()))? {
        let name = field.file_name().or(field.name()).unwrap_or("image").to_owned();
        images.push((name, field.bytes().await.map_err(|problem| broken(&problem.body_text()))?));
    }
    Ok(images)
}

/// `{"images": ["…", …]}`, each in base64, also as a `data:` address.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Encoded {
    images: Vec<String>,
}

fn json(bytes: &[u8]) -> Result<Vec<(String, Bytes)>, Refusal> {
    let wanted = r#"{"images": ["BASE64", …]}"#;
    let encoded: Encoded = serde_json::from_slice(bytes)
        .map_err(|problem| Refusal::bad(format!("the JSON is not {wanted}: {problem}")))?;
    let image = |(i, text): (usize, &String)| {
        let text = match text.strip_prefix("data:") {
            Some(address) => address.split_once(',').map_or("", |(_, data)| data),
            None => text,
        };
        let bytes = STANDARD.decode(text.trim());
        let bytes =
            bytes.map_err(|problem| Refusal::bad(format!("image {i} is not in base64: {problem}")))?;
        Ok((format!("image {i}"), Bytes::from(bytes)))
    };
    encoded.images.iter().enumerate().map(image).collect()
}
