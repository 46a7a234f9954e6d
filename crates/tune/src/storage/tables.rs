//! A study in the tables of a database, by Optuna's schema (version 12, `v3.2.0.a`).
//!
//! States and times stand in the statements themselves: they are ours, and PostgreSQL has types of its own for them. Texts and
//! numbers that come from elsewhere are bound.

use super::{Change, Result, Storage, StorageError, counted};
use crate::distribution::Distribution;
use crate::storage::time::naive;
use crate::trial::{Direction, Parameter, State, Trial};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// The version of the schema, as Optuna's migrations name it.
pub const REVISION: &str = "v3.2.0.a";
/// Which version of Optuna the tables are like.
pub const LIBRARY: &str = "5.0.0";

/// A value of a row, or one that is bound to a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
}

impl Cell {
    fn int(&self) -> i64 {
        if let Self::Int(value) = self { *value } else { 0 }
    }

    fn text(&self) -> &str {
        if let Self::Text(value) = self { value } else { "" }
    }

    fn real(&self) -> Option<f64> {
        match self {
            Self::Real(value) => Some(*value),
            Self::Int(value) => Some(*value as f64),
            _ => None,
        }
    }
}

/// A database. Statements have `$1`, `$2`, … for what is bound.
pub trait Database: Send {
    /// Its address, without a password.
    fn address(&self) -> String;
    /// The statements that make the tables where they are missing.
    fn schema(&self) -> &'static str;
    /// Run a statement; its rows. In the second form, without anything bound, several.
    fn query(&mut self, sql: &str, bound: &[Cell]) -> std::result::Result<Vec<Vec<Cell>>, String>;
    fn batch(&mut self, sql: &str) -> std::result::Result<(), String>;
    /// What begins a transaction that will write.
    fn begin(&self) -> &'static str;
    /// What makes a selection wait for others that change its rows.
    fn for_update(&self) -> &'static str;
    /// Seconds between a heartbeat and now, as an expression.
    fn age(&self) -> &'static str;
}

/// A study in a database.
#[derive(Debug)]
pub struct Tables<D> {
    database: D,
    study: i64,
    name: String,
    direction: Direction,
    trials: Vec<Trial>,
    distributions: HashMap<String, Arc<Distribution>>,
}

impl<D: Database> Tables<D> {
    /// Open or make the study of that name.
    pub fn open(database: D, name: &str, direction: Direction, make: bool) -> Result<Self> {
        let mut tables = Self {
            database,
            study: 0,
            name: name.to_owned(),
            direction,
            trials: Vec::new(),
            distributions: HashMap::new(),
        };
        let there = tables.query("SELECT version_num FROM alembic_version", &[]);
        match there {
            Ok(rows) if rows.first().is_some_and(|row| row[0].text() != REVISION) => {
                return Err(tables.broken(format!(
                    "its tables are those of another version of Optuna ({}); `optuna storage upgrade` brings them to {REVISION}",
                    rows[0][0].text()
                )));
            }
            Ok(_) => {}
            Err(error) if !make => return Err(error),
            Err(_) => {}
        }
        if make {
            tables.make_study()?;
        }
        tables.find_study()?;
        Ok(tables)
    }

    /// Make the tables and the study, unless they are there.
    fn make_study(&mut self) -> Result<()> {
        let schema = self.database.schema();
        self.transaction(|tables| {
            tables.database.batch(schema).map_err(|problem| tables.broken(problem))?;
            tables.query(
                &format!("INSERT INTO version_info (version_info_id, schema_version, library_version) VALUES (1, 12, '{LIBRARY}') ON CONFLICT DO NOTHING"),
                &[],
            )?;
            tables.query(
                &format!("INSERT INTO alembic_version (version_num) VALUES ('{REVISION}') ON CONFLICT DO NOTHING"),
                &[],
            )?;
            let name = [Cell::Text(tables.name.clone())];
            let made = tables.query(
                "INSERT INTO studies (study_name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING study_id",
                &name,
            )?;
            if let Some(row) = made.first() {
                let (id, direction) = (row[0].int(), tables.direction.name());
                tables.query(
                    &format!("INSERT INTO study_directions (study_id, objective, direction) VALUES ({id}, 0, '{direction}')"),
                    &[],
                )?;
            }
            Ok(())
        })
    }

    fn find_study(&mut self) -> Result<()> {
        let rows = self.query(
            "SELECT s.study_id, CAST(d.direction AS TEXT) FROM studies s JOIN study_directions d ON d.study_id = s.study_id \
             WHERE s.study_name = $1",
            &[Cell::Text(self.name.clone())],
        )?;
        match rows.as_slice() {
            [] => {
                let names = self.query("SELECT study_name FROM studies ORDER BY study_id", &[])?;
                let names: Vec<&str> = names.iter().map(|row| row[0].text()).collect();
                Err(self.broken(format!("there is no study {}; there are: {}", self.name, names.join(", "))))
            }
            [row] => {
                self.study = row[0].int();
                let large = row[1].text() == Direction::Maximize.name();
                self.direction = if large { Direction::Maximize } else { Direction::Minimize };
                Ok(())
            }
            _ => {
                Err(self
                    .broken(format!("study {} has several objectives, and one is searched here", self.name)))
            }
        }
    }

    fn broken(&self, problem: impl Into<String>) -> StorageError {
        StorageError { storage: self.database.address(), problem: problem.into() }
    }

    fn query(&mut self, sql: &str, bound: &[Cell]) -> Result<Vec<Vec<Cell>>> {
        self.database.query(sql, bound).map_err(|problem| self.broken(problem))
    }

    /// All or nothing of what `work` writes.
    fn transaction<T>(&mut self, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let begin = self.database.begin();
        self.query(begin, &[])?;
        match work(self) {
            Ok(done) => self.query("COMMIT", &[]).map(|_| done),
            Err(error) => {
                let _ = self.query("ROLLBACK", &[]);
                Err(error)
            }
        }
    }

    /// Read what changed: trials that were not finished, and new ones.
    fn refresh(&mut self) -> Result<()> {
        let open: Vec<String> = self
            .trials
            .iter()
            .filter(|trial| !trial.state.is_finished())
            .map(|trial| trial.id.to_string())
            .collect();
        let last = self.trials.last().map_or(-1, |trial| trial.id);
        let wanted = if open.is_empty() {
            format!("t.study_id = {} AND t.trial_id > {last}", self.study)
        } else {
            format!(
                "t.study_id = {} AND (t.trial_id > {last} OR t.trial_id IN ({}))",
                self.study,
                open.join(",")
            )
        };
        let mut read = self.read_trials(&wanted)?;
        self.read_details(&wanted, &mut read)?;
        for (_, trial) in read {
            match self.trials.binary_search_by_key(&trial.id, |known| known.id) {
                Ok(place) => self.trials[place] = trial,
                Err(_) => self.trials.push(trial),
            }
        }
        Ok(())
    }

    fn read_trials(&mut self, wanted: &str) -> Result<BTreeMap<i64, Trial>> {
        let rows = self.query(
            &format!(
                "SELECT t.trial_id, t.number, CAST(t.state AS TEXT), v.value, CAST(v.value_type AS TEXT) FROM trials t \
                 LEFT JOIN trial_values v ON v.trial_id = t.trial_id AND v.objective = 0 WHERE {wanted} ORDER BY t.trial_id"
            ),
            &[],
        )?;
        let trial = |row: &Vec<Cell>| {
            let state =
                State::named(row[2].text()).ok_or_else(|| self.broken(format!("state {}", row[2].text())))?;
            let mut trial = Trial::new(row[0].int(), row[1].int() as u32, state);
            trial.value = read_number(&row[3], row[4].text());
            Ok((trial.id, trial))
        };
        rows.iter().map(trial).collect()
    }

    fn read_details(&mut self, wanted: &str, trials: &mut BTreeMap<i64, Trial>) -> Result<()> {
        if trials.is_empty() {
            return Ok(());
        }
        let from = |columns: &str, table: &str| {
            format!(
                "SELECT x.trial_id, {columns} FROM {table} x JOIN trials t ON t.trial_id = x.trial_id WHERE {wanted}"
            )
        };
        for row in
            self.query(&from("x.param_name, x.param_value, x.distribution_json", "trial_params"), &[])?
        {
            let distribution = self.distribution(row[3].text())?;
            let internal = row[2].real().unwrap_or(f64::NAN);
            if let Some(trial) = trials.get_mut(&row[0].int()) {
                trial.parameters.insert(row[1].text().to_owned(), Parameter { internal, distribution });
            }
        }
        let reports = "x.step, x.intermediate_value, CAST(x.intermediate_value_type AS TEXT)";
        for row in self.query(&from(reports, "trial_intermediate_values"), &[])? {
            if let (Some(trial), Some(value)) =
                (trials.get_mut(&row[0].int()), read_number(&row[2], row[3].text()))
            {
                trial.reports.insert(row[1].int(), value);
            }
        }
        for table in ["trial_user_attributes", "trial_system_attributes"] {
            for row in self.query(&from("x.key, x.value_json", table), &[])? {
                let Some(trial) = trials.get_mut(&row[0].int()) else { continue };
                let notes =
                    if table == "trial_user_attributes" { &mut trial.user } else { &mut trial.system };
                notes.insert(row[1].text().to_owned(), json(row[2].text()));
            }
        }
        Ok(())
    }

    fn distribution(&mut self, text: &str) -> Result<Arc<Distribution>> {
        if let Some(known) = self.distributions.get(text) {
            return Ok(known.clone());
        }
        let read = Arc::new(Distribution::from_json(text).map_err(|problem| self.broken(problem))?);
        self.distributions.insert(text.to_owned(), read.clone());
        Ok(read)
    }

    /// The trial's state now, while no other worker can change it.
    fn state(&mut self, id: i64) -> Result<Option<State>> {
        let sql = format!(
            "SELECT CAST(state AS TEXT) FROM trials WHERE trial_id = {id}{}",
            self.database.for_update()
        );
        Ok(self.query(&sql, &[])?.first().and_then(|row| State::named(row[0].text())))
    }

    fn write_change(&mut self, id: i64, change: &Change) -> Result<()> {
        let (sql, bound) = match change {
            Change::Parameter(name, one) => (
                format!(
                    "INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) VALUES ({id}, $1, $2, $3) \
                     ON CONFLICT (trial_id, param_name) DO UPDATE SET param_value = excluded.param_value"
                ),
                vec![
                    Cell::Text(name.clone()),
                    Cell::Real(one.internal),
                    Cell::Text(one.distribution.to_json()),
                ],
            ),
            Change::Report(step, value) => {
                let (cell, kind) = stored(*value);
                (
                    format!(
                        "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type) \
                         VALUES ({id}, {step}, $1, '{kind}') ON CONFLICT (trial_id, step) DO UPDATE SET \
                         intermediate_value = excluded.intermediate_value, \
                         intermediate_value_type = excluded.intermediate_value_type"
                    ),
                    vec![cell],
                )
            }
            Change::User(key, value) => note("trial_user_attributes", "trial_id", id, key, value),
            Change::System(key, value) => note("trial_system_attributes", "trial_id", id, key, value),
        };
        self.query(&sql, &bound).map(drop)
    }

    /// A new trial, with its number.
    fn insert(&mut self, state: State, started: bool) -> Result<i64> {
        let start = if started { format!("'{}'", naive()) } else { "NULL".to_owned() };
        let (study, state) = (self.study, state.name());
        let rows = self.query(
            &format!(
                "INSERT INTO trials (number, study_id, state, datetime_start) VALUES \
                 ((SELECT COUNT(*) FROM trials WHERE study_id = {study}), {study}, '{state}', {start}) RETURNING trial_id"
            ),
            &[],
        )?;
        rows.first().map(|row| row[0].int()).ok_or_else(|| self.broken("a new trial has no number"))
    }

    /// Let no other worker begin a trial until the transaction ends.
    fn lock_study(&mut self) -> Result<()> {
        let sql = format!(
            "SELECT study_id FROM studies WHERE study_id = {}{}",
            self.study,
            self.database.for_update()
        );
        self.query(&sql, &[]).map(drop)
    }

    fn write_changes(&mut self, id: i64, changes: &[Change]) -> Result<()> {
        changes.iter().try_for_each(|change| self.write_change(id, change))
    }
}

impl<D: Database> Storage for Tables<D> {
    fn name(&self) -> &str {
        &self.name
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn trials(&mut self) -> Result<&[Trial]> {
        self.refresh()?;
        Ok(&self.trials)
    }

    fn notes(&mut self) -> Result<BTreeMap<String, Value>> {
        let sql =
            format!("SELECT key, value_json FROM study_user_attributes WHERE study_id = {}", self.study);
        let rows = self.query(&sql, &[])?;
        Ok(rows.iter().map(|row| (row[0].text().to_owned(), json(row[1].text()))).collect())
    }

    fn note(&mut self, key: &str, value: &Value) -> Result<()> {
        let (sql, bound) = note("study_user_attributes", "study_id", self.study, key, value);
        self.query(&sql, &bound).map(drop)
    }

    fn begin(&mut self, most: usize, notes: &[Change]) -> Result<Option<i64>> {
        self.transaction(|tables| {
            tables.lock_study()?;
            tables.refresh()?;
            if counted(&tables.trials) >= most {
                return Ok(None);
            }
            let id = tables.insert(State::Running, true)?;
            tables.write_changes(id, notes)?;
            Ok(Some(id))
        })
    }

    fn take(&mut self, id: i64, notes: &[Change]) -> Result<bool> {
        self.transaction(|tables| {
            if tables.state(id)? != Some(State::Waiting) {
                return Ok(false);
            }
            let now = naive();
            tables.query(
                &format!(
                    "UPDATE trials SET state = 'RUNNING', datetime_start = '{now}' WHERE trial_id = {id}"
                ),
                &[],
            )?;
            tables.write_changes(id, notes)?;
            Ok(true)
        })
    }

    fn change(&mut self, id: i64, changes: &[Change]) -> Result<bool> {
        self.transaction(|tables| {
            if tables.state(id)?.is_none_or(State::is_finished) {
                return Ok(false);
            }
            tables.write_changes(id, changes)?;
            Ok(true)
        })
    }

    fn finish(&mut self, id: i64, state: State, value: Option<f64>, again: Option<&Trial>) -> Result<bool> {
        self.transaction(|tables| {
            if again.is_some() {
                // In this order everywhere, so that no two workers wait for each other.
                tables.lock_study()?;
            }
            if tables.state(id)?.is_none_or(State::is_finished) {
                return Ok(false);
            }
            if let Some(value) = value.filter(|value| !value.is_nan()) {
                let (cell, kind) = stored(value);
                tables.query(
                    &format!(
                        "INSERT INTO trial_values (trial_id, objective, value, value_type) VALUES ({id}, 0, $1, '{kind}')"
                    ),
                    &[cell],
                )?;
            }
            let (name, now) = (state.name(), naive());
            tables.query(
                &format!("UPDATE trials SET state = '{name}', datetime_complete = '{now}' WHERE trial_id = {id}"),
                &[],
            )?;
            if let Some(again) = again {
                let id = tables.insert(again.state, false)?;
                tables.write_changes(id, &changes_of(again))?;
            }
            Ok(true)
        })
    }

    fn beat(&mut self, id: i64) -> Result<()> {
        let sql = format!(
            "INSERT INTO trial_heartbeats (trial_id, heartbeat) VALUES ({id}, CURRENT_TIMESTAMP) \
             ON CONFLICT (trial_id) DO UPDATE SET heartbeat = CURRENT_TIMESTAMP"
        );
        self.query(&sql, &[]).map(drop)
    }

    fn silent(&mut self, grace: Duration) -> Result<Vec<i64>> {
        let sql = format!(
            "SELECT t.trial_id FROM trials t JOIN trial_heartbeats h ON h.trial_id = t.trial_id \
             WHERE t.study_id = {} AND t.state = 'RUNNING' AND {} > {}",
            self.study,
            self.database.age(),
            grace.as_secs()
        );
        Ok(self.query(&sql, &[])?.iter().map(|row| row[0].int()).collect())
    }
}

/// All that a trial holds, as changes of one that holds nothing.
fn changes_of(trial: &Trial) -> Vec<Change> {
    let parameters = trial.parameters.iter().map(|(name, one)| Change::Parameter(name.clone(), one.clone()));
    let reports = trial.reports.iter().map(|(step, value)| Change::Report(*step, *value));
    let user = trial.user.iter().map(|(key, value)| Change::User(key.clone(), value.clone()));
    let system = trial.system.iter().map(|(key, value)| Change::System(key.clone(), value.clone()));
    parameters.chain(reports).chain(user).chain(system).collect()
}

/// The statement that notes something of a trial or a study.
fn note(table: &str, owner: &str, id: i64, key: &str, value: &Value) -> (String, Vec<Cell>) {
    let sql = format!(
        "INSERT INTO {table} ({owner}, key, value_json) VALUES ({id}, $1, $2) \
         ON CONFLICT ({owner}, key) DO UPDATE SET value_json = excluded.value_json"
    );
    (sql, vec![Cell::Text(key.to_owned()), Cell::Text(value.to_string())])
}

/// A number and its kind: infinities and NaN are kinds without a number.
fn stored(value: f64) -> (Cell, &'static str) {
    if value.is_nan() {
        (Cell::Null, "NAN")
    } else if value.is_infinite() {
        (Cell::Null, if value > 0.0 { "INF_POS" } else { "INF_NEG" })
    } else {
        (Cell::Real(value), "FINITE")
    }
}

fn read_number(cell: &Cell, kind: &str) -> Option<f64> {
    match kind {
        "INF_POS" => Some(f64::INFINITY),
        "INF_NEG" => Some(f64::NEG_INFINITY),
        "NAN" => Some(f64::NAN),
        _ => cell.real(),
    }
}

/// Python writes NaN in notes, too, which is null here.
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}
