//! A database on a server, over TLS where the server has it.

use super::tables::{Cell, Database};
use super::{Address, Result, StorageError};
use postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use postgres::{Client, Config};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// The most bytes of a file of certificates.
const MOST: u64 = 1 << 22;
/// A parameter of libpq's addresses that the crate does not know: a file with the authority that signs the server's
/// certificate.
const ROOT: &str = "sslrootcert=";

/// A PostgreSQL database.
pub struct Postgres {
    client: Client,
    address: String,
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.address)
    }
}

impl Postgres {
    /// Connect. A password may stand in the address, in `PGPASSWORD`, or in neither.
    pub fn open(url: &str) -> Result<Self> {
        let address = Address::Postgres(url.to_owned()).to_string();
        let failed = |problem: String| StorageError { storage: address.clone(), problem };
        let (url, root) = without_root(url);
        // The parser's errors name a part of the address at most, never the password.
        let mut config = Config::from_str(&url).map_err(|error| failed(told(&error)))?;
        if let (None, Some(password)) = (config.get_password(), std::env::var_os("PGPASSWORD")) {
            config.password(password.as_encoded_bytes());
        }
        config.application_name("wellfit");
        let tls = tls(root.as_deref()).map_err(&failed)?;
        let client = config.connect(MakeRustlsConnect::new(tls)).map_err(|error| failed(told(&error)))?;
        Ok(Self { client, address })
    }
}

/// An address without the parameter `sslrootcert`, and its value.
fn without_root(url: &str) -> (String, Option<String>) {
    let Some((plain, parameters)) = url.split_once('?') else { return (url.to_owned(), None) };
    let (roots, others): (Vec<&str>, Vec<&str>) =
        parameters.split('&').partition(|parameter| parameter.starts_with(ROOT));
    let url = if others.is_empty() { plain.to_owned() } else { format!("{plain}?{}", others.join("&")) };
    (url, roots.first().map(|root| root[ROOT.len()..].to_owned()))
}

/// Certificates are checked always: by the file that is given, or else by the web's authorities.
fn tls(root: Option<&str>) -> std::result::Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    match root {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            let bad = |problem: String| format!("sslrootcert {file}: {problem}");
            let bytes =
                wellfit_base::file::read(Path::new(file), MOST).map_err(|error| bad(error.to_string()))?;
            for certificate in CertificateDer::pem_slice_iter(&bytes) {
                let certificate = certificate.map_err(|error| bad(error.to_string()))?;
                roots.add(certificate).map_err(|error| bad(error.to_string()))?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    Ok(builder.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth())
}

/// An error with its cause, which says more.
fn told(error: &postgres::Error) -> String {
    match (error.as_db_error(), error.source()) {
        (Some(database), _) => database.message().to_owned(),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    }
}

impl ToSql for Cell {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> std::result::Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) => value.to_sql(kind, out),
            Self::Real(value) => value.to_sql(kind, out),
            Self::Text(text) => text.as_str().to_sql(kind, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Cell {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> std::result::Result<Self, Box<dyn Error + Sync + Send>> {
        match *kind {
            Type::INT2 => i16::from_sql(kind, raw).map(|value| Self::Int(value.into())),
            Type::INT4 => i32::from_sql(kind, raw).map(|value| Self::Int(value.into())),
            Type::INT8 => i64::from_sql(kind, raw).map(Self::Int),
            Type::FLOAT8 => f64::from_sql(kind, raw).map(Self::Real),
            _ => String::from_sql(kind, raw).map(Self::Text),
        }
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self::Null)
    }

    fn accepts(kind: &Type) -> bool {
        matches!(
            *kind,
            Type::INT2 | Type::INT4 | Type::INT8 | Type::FLOAT8 | Type::TEXT | Type::VARCHAR | Type::NAME
        )
    }
}

impl Database for Postgres {
    fn address(&self) -> String {
        self.address.clone()
    }

    fn schema(&self) -> &'static str {
        include_str!("postgres.sql")
    }

    fn query(&mut self, sql: &str, bound: &[Cell]) -> std::result::Result<Vec<Vec<Cell>>, String> {
        let bound: Vec<&(dyn ToSql + Sync)> = bound.iter().map(|cell| cell as &(dyn ToSql + Sync)).collect();
        let rows = self.client.query(sql, &bound).map_err(|error| told(&error))?;
        let cells = |row: &postgres::Row| {
            let cells = (0..row.len()).map(|place| row.try_get(place));
            cells.collect::<std::result::Result<Vec<Cell>, _>>().map_err(|error| told(&error))
        };
        rows.iter().map(cells).collect()
    }

    fn batch(&mut self, sql: &str) -> std::result::Result<(), String> {
        self.client.batch_execute(sql).map_err(|error| told(&error))
    }

    fn begin(&self) -> &'static str {
        "BEGIN"
    }

    fn for_update(&self) -> &'static str {
        " FOR UPDATE"
    }

    /// The column has no time zone, and Optuna fills it with the server's own time.
    fn age(&self) -> &'static str {
        "EXTRACT(EPOCH FROM (LOCALTIMESTAMP - h.heartbeat))"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_certificates_is_taken_out_of_the_address() {
        let url = "postgresql://me@host/db?sslmode=require&sslrootcert=/etc/root.pem";
        let (plain, root) = without_root(url);
        assert_eq!(
            (plain.as_str(), root.as_deref()),
            ("postgresql://me@host/db?sslmode=require", Some("/etc/root.pem"))
        );
        assert_eq!(without_root("postgresql://host/db"), ("postgresql://host/db".to_owned(), None));
        assert_eq!(without_root("postgresql://host/db?sslrootcert=a").0, "postgresql://host/db");
        assert!(tls(Some("/nowhere.pem")).unwrap_err().starts_with("sslrootcert /nowhere.pem: "));
        assert!(tls(None).is_ok());
    }
}
