//! A database in a file.

use super::tables::{Cell, Database};
use super::{Result, StorageError};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ToSql};
use std::path::Path;
use std::time::Duration;
use wellfit_base::Shown;

/// How long to wait for others that write.
const PATIENCE: Duration = Duration::from_secs(60);

/// An SQLite database.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    address: String,
}

impl Sqlite {
    /// Open the file, or make it.
    pub fn open(path: &Path) -> Result<Self> {
        let address = format!("sqlite:///{}", path.shown());
        let failed = |problem: String| StorageError { storage: address.clone(), problem };
        if path.exists() {
            // Devices and pipes are refused here; what is no database, by SQLite.
            wellfit_base::file::open(path).map_err(|error| failed(error.to_string()))?;
        }
        let connection = Connection::open(path).map_err(|error| failed(error.to_string()))?;
        connection.busy_timeout(PATIENCE).map_err(|error| failed(error.to_string()))?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Self { connection, address })
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Int(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Self::Real(value) => ToSqlOutput::Owned(Value::Real(*value)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(value) => Cell::Int(value),
        ValueRef::Real(value) => Cell::Real(value),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Cell::Text(String::from_utf8_lossy(bytes).into_owned())
        }
    }
}

impl Database for Sqlite {
    fn address(&self) -> String {
        self.address.clone()
    }

    fn schema(&self) -> &'static str {
        include_str!("sqlite.sql")
    }

    fn query(&mut self, sql: &str, bound: &[Cell]) -> std::result::Result<Vec<Vec<Cell>>, String> {
        let run = || {
            let mut statement = self.connection.prepare_cached(sql)?;
            let columns = statement.column_count();
            let mut rows = statement.query(rusqlite::params_from_iter(bound))?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                found.push(
                    (0..columns)
                        .map(|place| row.get_ref(place).map(cell))
                        .collect::<rusqlite::Result<_>>()?,
                );
            }
            Ok::<_, rusqlite::Error>(found)
        };
        run().map_err(|error| error.to_string())
    }

    fn batch(&mut self, sql: &str) -> std::result::Result<(), String> {
        self.connection.execute_batch(sql).map_err(|error| error.to_string())
    }

    /// It takes the lock for writing at once: one that it takes later fails if another worker wrote meanwhile.
    fn begin(&self) -> &'static str {
        "BEGIN IMMEDIATE"
    }

    fn for_update(&self) -> &'static str {
        ""
    }

    fn age(&self) -> &'static str {
        "(julianday('now') - julianday(h.heartbeat)) * 86400"
    }
}
