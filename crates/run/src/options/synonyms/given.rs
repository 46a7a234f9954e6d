//! A name and a value, as people give them, as settings with values.

use super::meaning::{Meaning, meaning, setting, squeezed, truth, value_meaning};
use crate::options::{Entry, Kind};

/// Settings, or options of commands, with their values as text.
pub type Given = Vec<(&'static str, String)>;

/// Whether a value follows a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Always.
    Value,
    /// Perhaps: a switch, or something that is refused or ignored.
    Perhaps,
}

/// Whether a value follows that name; none if the name is unknown.
#[must_use]
pub fn takes(name: &str) -> Option<Takes> {
    let of = |entry: &Entry| if entry.kind == Kind::Switch { Takes::Perhaps } else { Takes::Value };
    let known = setting(name).map(of);
    known.or_else(|| switched_off(name).map(|_| Takes::Perhaps)).or_else(|| {
        Some(match meaning(name)? {
            Meaning::Same(to) => setting(to).map_or(Takes::Value, of),
            Meaning::Data => Takes::Value,
            _ => Takes::Perhaps,
        })
    })
}

/// What is given by that name, however it is written, and that value; none if the name is unknown. Without a value, a
/// switch is turned on.
///
/// # Errors
/// A sentence on what is given, where Wellfit has nothing like it or the value is not for it.
pub fn given(name: &str, value: Option<&str>) -> Option<Result<Given, String>> {
    if let Some(entry) = setting(name) {
        return Some(of_setting(entry, value));
    }
    let wanted = value.is_none_or(|value| truth(value) != Some(false) && value.parse() != Ok(0.0));
    let text = || value.unwrap_or("true").to_owned();
    let lacks = |sentence: &str| Err(format!("{name} {sentence}"));
    Some(match meaning(name) {
        Some(Meaning::Same(to)) => {
            setting(to).map_or_else(|| Ok(vec![(to, text())]), |entry| of_setting(entry, value))
        }
        Some(Meaning::Gives(to, fixed)) if wanted => Ok(vec![(to, fixed.to_owned())]),
        Some(Meaning::File(to, _)) if value.is_some_and(|value| truth(value).is_none()) => {
            Ok(vec![(to, text())])
        }
        Some(Meaning::File(_, sentence) | Meaning::Lacking(sentence)) if wanted => lacks(sentence),
        Some(Meaning::Always(sentence)) if !wanted => lacks(sentence),
        Some(Meaning::Data) => {
            Err(format!("{name} is no setting: the data come first, as in wellfit train {}", text()))
        }
        Some(_) => Ok(Vec::new()),
        None => Ok(vec![(switched_off(name)?.name, (!wanted).to_string())]),
    })
}

/// The switch `X` of a name `no_X`.
fn switched_off(name: &str) -> Option<&'static Entry> {
    let name = squeezed(name);
    if meaning(&name).is_some() {
        return None;
    }
    let rest = name.strip_prefix("no")?;
    let entry = setting(rest).or_else(|| match meaning(rest)? {
        Meaning::Same(to) => setting(to),
        _ => None,
    });
    entry.filter(|entry| entry.kind == Kind::Switch)
}

fn of_setting(entry: &'static Entry, value: Option<&str>) -> Result<Given, String> {
    let name = entry.name;
    let Some(text) = value else { return Ok(vec![(name, "true".to_owned())]) };
    if entry.kind != Kind::Switch {
        return Ok(vec![(name, value_meaning(name, text).unwrap_or_else(|| text.to_owned()))]);
    }
    match (name, truth(text), text.parse::<f64>()) {
        // 1.0 is the probability, which is not on offer; 1 is yes.
        (_, Some(on), _) => Ok(vec![(name, on.to_string())]),
        ("hflip" | "vflip", _, Ok(share)) if share == 0.0 || share == 0.5 => {
            Ok(vec![(name, (share > 0.0).to_string())])
        }
        ("hflip" | "vflip", _, Ok(_)) => {
            Err(format!("`{name}` {text}: an image is mirrored half of the time: leave the number out"))
        }
        ("early_stopping", ..) => policy(entry, text, &["patience", "min_delta", "monitor"], ""),
        ("lr_scheduler", ..) => match value_meaning("schedule", text) {
            Some(schedule) => Ok(vec![("schedule", schedule)]),
            None if ["plateau", "reducelronplateau"].contains(&squeezed(text).as_str()) => {
                Ok(vec![(name, "true".to_owned())])
            }
            None if crate::options::Setting::parse(text.as_ref())
                .is_ok_and(|_: wellfit_policy::schedule::ScheduleSpec| true) =>
            {
                Ok(vec![("schedule", text.to_owned())])
            }
            None => policy(entry, text, &["patience", "factor", "min_lr"], "lr_"),
        },
        _ => Err(format!("`{name}` {text}: give true or false, or nothing to turn it on")),
    }
}

/// `patience=3,min_delta=0.01`, or the patience alone, as settings of their own; those of the scheduler have `lr_` in
/// front.
fn policy(entry: &'static Entry, text: &str, known: &[&'static str], prefix: &str) -> Result<Given, String> {
    let name = entry.name;
    let mut given = vec![(name, "true".to_owned())];
    if text.parse::<u32>().is_ok() {
        return Ok(vec![
            given.remove(0),
            (if prefix.is_empty() { "patience" } else { "lr_patience" }, text.to_owned()),
        ]);
    }
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| format!("`{name}` {text}: give true, false, or options such as patience=3"))?;
        let key = key.trim();
        let found = known.iter().find(|option| squeezed(option) == squeezed(key)).ok_or_else(|| {
            format!("`{name}` {text}: there is no option {key} in training; known are {}", known.join(", "))
        })?;
        let full = format!("{prefix}{found}");
        let found = setting(&full).map_or(*found, |entry| entry.name);
        given.push((found, value.trim().to_owned()));
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(name: &str, value: Option<&str>) -> String {
        let given = given(name, value).unwrap().unwrap();
        given.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn names_and_values_become_settings() {
        for (name, value, expected) in [
            ("lr", Some("0.1"), "lr=0.1"),
            ("bs", Some("64"), "batch_size=64"),
            ("batchSize", Some("64"), "batch_size=64"),
            ("no-vflip", None, "vflip=false"),
            ("no_hflip", Some("true"), "hflip=false"),
            ("no_fliplr", None, "hflip=false"),
            ("hflip", Some("False"), "hflip=false"),
            ("fliplr", Some("0.5"), "hflip=true"),
            ("flipud", Some("0.0"), "vflip=false"),
            ("cos_lr", Some("True"), "schedule=cosine"),
            ("cos_lr", Some("False"), ""),
            ("amp", Some("False"), ""),
            ("mixup", Some("0.0"), "mixup=0.0"),
            ("shuffle", Some("True"), ""),
            ("pretrained", Some("w.pth"), "weights=w.pth"),
            ("pretrained", Some("False"), ""),
            ("early_stopping", Some("patience=3"), "early_stopping=true patience=3"),
            ("early_stopping", Some("7"), "early_stopping=true patience=7"),
            (
                "earlystop",
                Some("patience=3, min_delta=0.01"),
                "early_stopping=true patience=3 min_delta=0.01",
            ),
            (
                "lr_scheduler",
                Some("patience=2,factor=0.1,min_lr=0"),
                "lr_scheduler=true lr_patience=2 lr_factor=0.1 min_lr=0",
            ),
            ("lr_scheduler", Some("steplr"), "schedule=step"),
            ("lr_scheduler", Some("cosine"), "schedule=cosine"),
            ("lr-scheduler", Some("ReduceLROnPlateau"), "lr_scheduler=true"),
            ("sched", Some("OneCycleLR"), "schedule=one-cycle"),
            ("arch", Some("ResNet-18"), "model=resnet18"),
            ("output-dir", Some("x"), "out=x"),
            ("freeze", Some("1"), "freeze=true"),
        ] {
            assert_eq!(ok(name, value), expected, "{name} {value:?}");
        }
    }

    #[test]
    fn what_is_not_on_offer_says_what_is() {
        for (name, value, parts) in [
            ("mosaic", Some("0.2"), &["mosaic"][..]),
            ("pretrained", None, &["`weights` FILE", "download"]),
            ("pretrained", Some("True"), &["`weights` FILE"]),
            ("shuffle", Some("False"), &["cannot be turned off"]),
            ("hflip", Some("0.8"), &["`hflip` 0.8", "half"]),
            ("freeze", Some("10"), &["`freeze` 10"]),
            ("early_stopping", Some("baseline=0.3"), &["baseline", "patience, min_delta, monitor"]),
            ("data_path", Some("photos"), &["wellfit train photos"]),
        ] {
            let problem = given(name, value).unwrap().unwrap_err();
            parts.iter().for_each(|part| assert!(problem.contains(part), "{part} is not in {problem}"));
        }
        assert_eq!(given("lurning_rate", None), None);
    }
}
