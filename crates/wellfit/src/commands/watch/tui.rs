//! The same in a terminal: the list of runs, and the curve of the chosen one.

use crate::error::CliError;
use crate::signals::Signals;
use ratatui::Frame;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind};
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, Paragraph, Row, Sparkline, Table, TableState};
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::{Duration, Instant};
use wellfit::base::shown::shown;
use wellfit::record::{Request, RunDir};
use wellfit::report::live::RunNews;
use wellfit::run::figures::{loss, percent};
use wellfit::serve::watch::Folder;

/// How often the runs are looked at.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a key is waited for.
const TICK: Duration = Duration::from_millis(100);
/// The heights of a sparkline's bars.
const HEIGHTS: f64 = 1000.0;

/// What is shown.
struct View {
    folder: Folder,
    runs: Vec<RunNews>,
    table: TableState,
    /// What is asked of the chosen run once it is confirmed.
    asked: Option<Request>,
    /// The last line.
    said: String,
}

/// Show the runs until a key or a signal ends it. The terminal is as before then, also after a panic.
pub fn run(dir: PathBuf, signals: &Signals) -> Result<(), CliError> {
    if !io::stdout().is_terminal() {
        return Err(CliError::Usage("--tui needs a terminal: leave it out for a browser".to_owned()));
    }
    let folder = Folder::new(dir);
    let mut view =
        View { folder, runs: Vec::new(), table: TableState::default(), asked: None, said: KEYS.into() };
    let shown = ratatui::run(|terminal| -> io::Result<()> {
        let mut looked: Option<Instant> = None;
        while signals.caught().is_none() {
            if looked.is_none_or(|at| at.elapsed() >= PAUSE) {
                view.look();
                looked = Some(Instant::now());
            }
            terminal.draw(|frame| view.draw(frame))?;
            if event::poll(TICK)?
                && let Event::Key(key) = event::read()?
                && key.kind == KeyEventKind::Press
                && view.pressed(key.code)
            {
                break;
            }
        }
        Ok(())
    });
    shown.map_err(|cause| CliError::Output(format!("the terminal: {cause}")))
}

/// The keys.
const KEYS: &str = "up/down choose   s stop here   l halve the rate   q end";

impl View {
    /// The newest run first, as in a browser.
    fn look(&mut self) {
        self.runs = self.folder.news();
        self.runs.reverse();
        let last = self.runs.len().checked_sub(1);
        self.table.select(last.map(|last| self.table.selected().unwrap_or(0).min(last)));
    }

    fn chosen(&self) -> Option<&RunNews> {
        self.runs.get(self.table.selected()?)
    }

    /// Whether the key ends it.
    fn pressed(&mut self, key: KeyCode) -> bool {
        if let Some(request) = self.asked.take() {
            self.said = if key == KeyCode::Char('y') { self.ask(request) } else { KEYS.to_owned() };
            return false;
        }
        match key {
            KeyCode::Char('q') | KeyCode::Esc => return true,
            KeyCode::Up => self.table.select_previous(),
            KeyCode::Down => self.table.select_next(),
            KeyCode::Char('s') => self.confirm(Request::Stop),
            KeyCode::Char('l') => self.confirm(Request::LowerRate { factor: 0.5 }),
            _ => {}
        }
        false
    }

    fn confirm(&mut self, request: Request) {
        let Some(run) = self.chosen() else { return };
        self.said = format!("ask {} to {request}? y or n", shown(&run.name));
        self.asked = Some(request);
    }

    fn ask(&self, request: Request) -> String {
        let path = self.chosen().and_then(|run| self.folder.path(&run.name));
        let Some(path) = path else { return "the run is no longer there".to_owned() };
        match RunDir::open(path).and_then(|run| run.ask(request)) {
            Ok(()) => "asked: it acts after the step under way".to_owned(),
            Err(problem) => problem.to_string(),
        }
    }

    fn draw(&mut self, frame: &mut Frame<'_>) {
        let parts = [Constraint::Min(4), Constraint::Length(8), Constraint::Length(1)];
        let [list, curve, said] = Layout::vertical(parts).areas(frame.area());
        let rows = self.runs.iter().map(row);
        let widths =
            [Constraint::Fill(2), Constraint::Length(14), Constraint::Length(12), Constraint::Fill(1)];
        let head = Row::new(["run", "state", "epoch", "best accuracy"]).style(Modifier::BOLD);
        let title = shown(&self.folder.name()).into_owned();
        let table = Table::new(rows, widths)
            .header(head)
            .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED))
            .block(Block::bordered().title(title));
        frame.render_stateful_widget(table, list, &mut self.table);
        if let Some(run) = self.chosen() {
            let block = Block::bordered().title(Line::from(status(run)));
            frame.render_widget(
                Sparkline::default().block(block).data(bars(&run.curve)).max(HEIGHTS as u64),
                curve,
            );
        }
        frame.render_widget(Paragraph::new(self.said.as_str()), said);
    }
}

fn row(run: &RunNews) -> Row<'static> {
    let epochs = match run.epochs {
        [done, 0] => done.to_string(),
        [done, all] => format!("{done} of {all}"),
    };
    let best = run.best.as_ref().map_or_else(String::new, |best| percent(best.val_accuracy));
    Row::new([shown(&run.name).into_owned(), run.state.replace('_', " "), epochs, best])
}

fn status(run: &RunNews) -> String {
    let step = run.step.as_ref().map_or_else(String::new, |at| {
        format!(", epoch {}, step {}, loss {}, rate {}", at.epoch, at.step, loss(at.loss), at.lr)
    });
    format!("{}: validation accuracy{step}", shown(&run.name))
}

/// The values between the lowest and the highest as heights.
fn bars(curve: &[Option<f64>]) -> Vec<Option<u64>> {
    let known = || curve.iter().flatten();
    let low = known().copied().fold(f64::INFINITY, f64::min);
    let span = known().copied().fold(f64::NEG_INFINITY, f64::max) - low;
    let height =
        |value: &f64| if span > 0.0 { 50.0 + (HEIGHTS - 50.0) * (value - low) / span } else { HEIGHTS / 2.0 };
    curve.iter().map(|value| value.as_ref().map(|value| height(value) as u64)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_fill_their_height_and_gaps_stay() {
        assert_eq!(bars(&[Some(0.5), None, Some(0.75), Some(1.0)]), [Some(50), None, Some(525), Some(1000)]);
        assert_eq!(bars(&[Some(0.5)]), [Some(500)]);
        assert!(bars(&[]).is_empty());
    }
}
