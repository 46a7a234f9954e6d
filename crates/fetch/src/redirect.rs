//! Addresses that a server sends elsewhere.

use ureq::http::Uri;

/// Scheme, host and port: what a token is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: String,
    host: String,
    port: Option<u16>,
}

impl Origin {
    /// That of an address; none if it has no scheme or host.
    pub(crate) fn of(url: &str) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let scheme = uri.scheme_str()?.to_lowercase();
        let usual = if scheme == "https" { 443 } else { 80 };
        let port = Some(uri.port_u16().unwrap_or(usual));
        Some(Self { host: uri.host()?.to_lowercase(), scheme, port })
    }

    /// Whether what is sent there is encrypted.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.scheme == "https"
    }
}

/// Where `location` leads from `url`.
///
/// # Errors
/// If it leads nowhere, or from an encrypted connection to one that is not.
pub(crate) fn follow(url: &str, location: &str) -> Result<String, String> {
    let nowhere = || format!("the server sends on to ‘{location}’, which is no address");
    let from = Origin::of(url).ok_or_else(nowhere)?;
    let location = location.split('#').next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://").ok_or_else(nowhere)?;
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let target = if location.contains("://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{host}{location}")
    } else {
        let path = path.split('?').next().unwrap_or_default();
        let folder = path.rfind('/').map_or("", |end| &path[..end]);
        format!("{scheme}://{host}{folder}/{location}")
    };
    let to = Origin::of(&target).ok_or_else(nowhere)?;
    match to.scheme.as_str() {
        "https" => Ok(target),
        "http" if !from.is_encrypted() => Ok(target),
        "http" => Err(format!("the server sends on to {target}, which is not encrypted")),
        _ => Err(nowhere()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_put_together() {
        let url = "https://a.b:8/x/y?q=1";
        for (location, target) in [
            ("https://c/z", "https://c/z"),
            ("//c/z?r", "https://c/z?r"),
            ("/z", "https://a.b:8/z"),
            ("z#part", "https://a.b:8/x/z"),
        ] {
            assert_eq!(follow(url, location).unwrap(), target);
        }
        assert!(follow(url, "http://c/z").unwrap_err().contains("not encrypted"));
        assert!(follow(url, "file:///etc/passwd").is_err());
        assert!(follow(url, "https://").is_err());
        assert_eq!(follow("http://a", "z").unwrap(), "http://a/z");
        assert_eq!(Origin::of("https://A.b/x"), Origin::of("https://a.b:443"));
        assert_ne!(Origin::of("https://a.b/x"), Origin::of("http://a.b/x"));
        assert_ne!(Origin::of("http://a.b:1/x"), Origin::of("http://a.b:2/x"));
    }
}
