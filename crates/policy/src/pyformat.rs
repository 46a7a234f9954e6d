//! The part of Python's number formatting that file-name templates and log lines use.

use std::collections::BTreeMap;

use crate::PolicyError;

/// `value` as Python's `{value:.<digits>e}`: a sign and at least two digits in the exponent.
pub(crate) fn exponent(value: f64, digits: usize) -> String {
    if value.is_finite() { widen_exponent(&format!("{value:.digits$e}")) } else { fixed(value, 0) }
}

/// `value` as Python's `{value:.<digits>f}`.
pub(crate) fn fixed(value: f64, digits: usize) -> String {
    if value.is_nan() { "nan".to_owned() } else { format!("{value:.digits$}") }
}

/// `value` as Python's `repr`: the shortest digits that read back equal.
fn repr(value: f64) -> String {
    if value.is_finite() { widen_exponent(&format!("{value:?}")) } else { fixed(value, 0) }
}

fn widen_exponent(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once('e') else { return text.to_owned() };
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// Fills in a template such as `net-{epoch:02d}-{val_loss:.4f}` as Python's `str.format` does.
///
/// `epoch` is an integer, the metrics are floats. A field is `{name}` or `{name:[0][width][.digits][dfe]}`;
/// `{{` and `}}` are braces.
///
/// # Errors
/// [`PolicyError::Template`] for an unknown name, an unclosed brace or a format not listed above.
pub(crate) fn fill(
    template: &str,
    epoch: u64,
    metrics: &BTreeMap<String, f64>,
) -> Result<String, PolicyError> {
    let fail = |reason: String| PolicyError::Template { template: template.to_owned(), reason };
    let mut text = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        text.push_str(&rest[..at]);
        let brace = &rest[at..=at];
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            text.push_str(brace);
            rest = after;
            continue;
        }
        let field = (brace == "{").then(|| rest.split_once('}')).flatten();
        let (field, after) =
            field.ok_or_else(|| fail(format!("a lone \"{brace}\"; double it to mean itself")))?;
        text.push_str(&fill_field(field, epoch, metrics).map_err(fail)?);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn fill_field(field: &str, epoch: u64, metrics: &BTreeMap<String, f64>) -> Result<String, String> {
    let (name, spec) = field.split_once(':').unwrap_or((field, ""));
    let spec = Spec::read(spec).ok_or_else(|| {
        format!("cannot read the format of {{{field}}}; use [0][width][.digits] and d, f or e, as in {{epoch:02d}}")
    })?;
    let number = if name == "epoch" {
        spec.integer(epoch)
    } else {
        let names = || metrics.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        let value =
            metrics.get(name).ok_or_else(|| format!("no {name} here; known are epoch, {}", names()))?;
        spec.float(*value)
    };
    let number = number.ok_or_else(|| format!("{{{field}}} asks for a format that {name} does not have"))?;
    Ok(spec.pad(&number))
}

/// `[0][width][.digits][kind]`.
#[derive(Default)]
struct Spec {
    zeros: bool,
    width: usize,
    digits: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    /// No file name is wider: a larger number is a slip of the finger.
    const WIDEST: usize = 64;

    fn read(text: &str) -> Option<Self> {
        let (body, kind) = match text.chars().last() {
            Some(kind @ ('d' | 'f' | 'e')) => (&text[..text.len() - 1], Some(kind)),
            _ => (text, None),
        };
        let (width, digits) = match body.split_once('.') {
            Some((width, digits)) => (width, Some(Self::size(digits)?)),
            None => (body, None),
        };
        let zeros = width.starts_with('0');
        let width = if width.is_empty() { 0 } else { Self::size(width)? };
        Some(Self { zeros, width, digits, kind })
    }

    fn size(text: &str) -> Option<usize> {
        let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|&size| digits_only && size <= Self::WIDEST)
    }

    fn integer(&self, value: u64) -> Option<String> {
        match (self.kind, self.digits) {
            (None | Some('d'), None) => Some(value.to_string()),
            (None | Some('d'), Some(_)) => None,
            _ => self.float(value as f64),
        }
    }

    fn float(&self, value: f64) -> Option<String> {
        match (self.kind, self.digits) {
            (None, None) => Some(repr(value)),
            (Some('f'), digits) => Some(fixed(value, digits.unwrap_or(6))),
            (Some('e'), digits) => Some(exponent(value, digits.unwrap_or(6))),
            _ => None,
        }
    }

    fn pad(&self, number: &str) -> String {
        let missing = self.width.saturating_sub(number.len());
        if !self.zeros {
            return " ".repeat(missing) + number;
        }
        match number.strip_prefix('-') {
            Some(digits) => format!("-{}{digits}", "0".repeat(missing)),
            None => "0".repeat(missing) + number,
        }
    }
}
