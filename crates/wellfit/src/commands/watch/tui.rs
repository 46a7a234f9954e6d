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
        if !run.steerable {
            self.said = format!("{} is {}: nothing can be asked of it", shown(&run.name), state(run));
            return;
        }
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
    Row::new([shown(&run.name).into_owned(), state(run), epochs, best])
}

fn state(run: &RunNews) -> String {
    run.state.replace('_', " ")
}

fn status(run: &RunNews) -> String {
    if let Some(problem) = &run.problem {
        return shown(problem).into_owned();
    }
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
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use wellfit::report::live::{Best, Step};

    fn run_called(name: &str, state: &str) -> RunNews {
        RunNews {
            name: name.to_owned(),
            state: state.to_owned(),
            steerable: state == "running",
            model: "resnet20".to_owned(),
            data: "sample".to_owned(),
            created: String::new(),
            epochs: [3, 20],
            best: Some(Best { epoch: 2, val_accuracy: 0.81, val_loss: 0.5 }),
            step: Some(Step { epoch: 4, step: 107, lr: 0.01, loss: 0.4321 }),
            curve: vec![Some(0.5), None, Some(1.0)],
            stamp: String::new(),
            problem: None,
        }
    }

    fn view(runs: Vec<RunNews>) -> View {
        let table = TableState::default().with_selected(0);
        View { folder: Folder::new("runs".into()), runs, table, asked: None, said: KEYS.into() }
    }

    /// The lines of a screen of 72 by 16.
    fn screen(view: &mut View) -> Vec<String> {
        let mut terminal = Terminal::new(TestBackend::new(72, 16)).unwrap();
        terminal.draw(|frame| view.draw(frame)).unwrap();
        let cells = terminal.backend().buffer().content().chunks(72);
        cells
            .map(|line| {
                line.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned()
            })
            .collect()
    }

    #[test]
    fn the_screen_has_the_runs_the_curve_of_the_chosen_one_and_the_keys() {
        let mut runs = vec![run_called("first", "running"), run_called("second", "early_stopping")];
        runs[1].step = None;
        let mut view = view(runs);
        let lines = screen(&mut view);
        let with = |text: &str| {
            lines.iter().find(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}: {lines:#?}"))
        };
        assert!(with("first").contains("running") && with("first").contains("3 of 20"));
        assert!(with("second").contains("early stopping") && with("second").contains("81.0 %"));
        with("first: validation accuracy, epoch 4, step 107, loss 0.4321, rate 0.01");
        assert!(lines.iter().any(|line| line.contains('█')), "{lines:#?}");
        assert_eq!(lines.last().unwrap(), KEYS);
        assert!(!view.pressed(KeyCode::Down));
        assert!(screen(&mut view).iter().any(|line| line.contains("second: validation accuracy")));
        assert!(view.pressed(KeyCode::Char('q')));
    }

    #[test]
    fn only_a_running_run_is_asked_and_only_after_yes() {
        let mut view = view(vec![run_called("first", "running"), run_called("second", "interrupted")]);
        view.pressed(KeyCode::Char('s'));
        assert!(view.said.starts_with("ask first to stop") && view.said.ends_with("y or n"), "{}", view.said);
        view.pressed(KeyCode::Char('n'));
        assert!(view.asked.is_none() && view.said == KEYS);
        view.pressed(KeyCode::Down);
        view.pressed(KeyCode::Char('l'));
        assert_eq!(
            (view.asked.is_none(), &*view.said),
            (true, "second is interrupted: nothing can be asked of it")
        );
    }

    #[test]
    fn names_and_problems_draw_nothing_of_their_own() {
        let mut bad = run_called("a\x1b[2Jb", "unreadable");
        bad.problem = Some("run.toml: line 1: not\x1b[1mso".to_owned());
        let lines = screen(&mut view(vec![bad]));
        assert!(lines.iter().any(|line| line.contains("run.toml: line 1")), "{lines:#?}");
        assert!(!lines.iter().any(|line| line.contains('\x1b')), "{lines:#?}");
        screen(&mut view(Vec::new()));
    }

    #[test]
    fn curves_fill_their_height_and_gaps_stay() {
        assert_eq!(bars(&[Some(0.5), None, Some(0.75), Some(1.0)]), [Some(50), None, Some(525), Some(1000)]);
        assert_eq!(bars(&[Some(0.5)]), [Some(500)]);
        assert!(bars(&[]).is_empty());
    }
}
