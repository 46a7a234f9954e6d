//! Who may ask.

use crate::refusal::Refusal;
use axum::http::{HeaderMap, StatusCode, header};
use std::net::{IpAddr, SocketAddr};
use subtle::ConstantTimeEq;

/// Whether the `Host` is this machine's own name for itself. A page on another site whose name is made to lead to
/// 127.0.0.1 (DNS rebinding) has its own name there, and must not ask a server that was meant for this machine alone.
pub(crate) fn check_host(headers: &HeaderMap, address: SocketAddr) -> Result<(), Refusal> {
    if !address.ip().is_loopback() {
        return Ok(());
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let loopback = name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if loopback || name.eq_ignore_ascii_case("localhost") {
        return Ok(());
    }
    let sentence =
        "this server answers to localhost and 127.0.0.1 only (`wellfit serve --host` is for other names)";
    Err(Refusal::new(StatusCode::MISDIRECTED_REQUEST, sentence))
}

/// Whether the request has the token. Comparing takes the same time whatever is wrong with it.
pub(crate) fn check_token(headers: &HeaderMap, token: Option<&str>) -> Result<(), Refusal> {
    let Some(token) = token else { return Ok(()) };
    let given = headers.get(header::AUTHORIZATION).map(axum::http::HeaderValue::as_bytes).unwrap_or_default();
    let given = given.split_at_checked(7).filter(|(kind, _)| kind.eq_ignore_ascii_case(b"bearer "));
    if given.is_some_and(|(_, given)| bool::from(given.ct_eq(token.as_bytes()))) {
        return Ok(());
    }
    let sentence = "the header `Authorization: Bearer …` with the server's token is missing or wrong";
    Err(Refusal::new(StatusCode::UNAUTHORIZED, sentence))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use axum::http::HeaderName;

    fn headers(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn a_server_on_loopback_answers_to_its_own_names() {
        let loopback: SocketAddr = "127.0.0.1:8000".parse().unwrap();
        for own in ["localhost:8000", "LOCALHOST", "127.0.0.1:8000", "127.0.0.1", "[::1]:8000", "[::1]"] {
            assert!(check_host(&headers(header::HOST, own), loopback).is_ok(), "{own}");
        }
        for other in ["evil.example", "evil.example:8000", "localhost.evil.example", "10.0.0.1:8000", ""] {
            assert!(check_host(&headers(header::HOST, other), loopback).is_err(), "{other}");
            assert!(check_host(&headers(header::HOST, other), "0.0.0.0:80".parse().unwrap()).is_ok());
        }
        assert!(check_host(&HeaderMap::new(), loopback).is_err());
    }

    #[test]
    fn only_the_token_opens() {
        let ask = |value: &str| check_token(&headers(header::AUTHORIZATION, value), Some("s3cret")).is_ok();
        assert!(ask("Bearer s3cret") && ask("bearer s3cret"));
        for wrong in ["Bearer s3cre", "Bearer s3crets", "Bearer ", "Basic s3cret", "s3cret", ""] {
            assert!(!ask(wrong), "{wrong}");
        }
        assert!(check_token(&HeaderMap::new(), Some("s3cret")).is_err());
        assert!(check_token(&HeaderMap::new(), None).is_ok());
    }
}
