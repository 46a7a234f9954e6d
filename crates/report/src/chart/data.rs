//! The numbers of charts for the page's script.

use super::model::{Chart, Line, Mark};
use serde_json::{Value, json};

/// All charts as JSON that may stand within a script element: no `<` ends it early.
pub fn json(charts: &[Chart]) -> String {
    Value::from_iter(charts.iter().map(of_chart)).to_string().replace('<', "\\u003c")
}

fn of_chart(chart: &Chart) -> Value {
    let line = |line: &Line| {
        let values: Vec<Value> =
            line.values.iter().map(|value| value.map_or(Value::Null, |value| json!(value))).collect();
        json!({ "name": line.name, "class": line.class, "values": values })
    };
    let mark = |mark: &Mark| json!({ "epoch": mark.epoch, "kind": mark.kind.class(), "line": mark.kind.is_line(), "label": mark.label, "text": mark.text });
    json!({
        "id": chart.id,
        "title": chart.title,
        "unit": chart.unit.name(),
        "epochs": chart.epochs,
        "lines": chart.lines.iter().map(line).collect::<Vec<_>>(),
        "marks": chart.marks.iter().map(mark).collect::<Vec<_>>(),
        "chosen": chart.chosen,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_ends_the_script_element() {
        let line = Line { name: "</script><script>alert(1)</script>".to_owned(), ..Line::default() };
        let text = json(&[Chart { lines: vec![line], ..Chart::default() }]);
        assert!(!text.contains('<'), "{text}");
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back[0]["lines"][0]["name"], "</script><script>alert(1)</script>");
    }
}
