//! What commands print: columns for people, or one JSON document for programs.

use super::say;
use serde_json::Value;

/// Rows under headings, as wide as they are: nothing is wrapped or cut.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(headings: &[&str]) -> Self {
        Self { rows: vec![headings.iter().map(|h| h.to_ascii_uppercase()).collect()] }
    }

    /// Names and their values, without headings.
    pub(super) fn of_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        let rows = pairs.into_iter().map(|(name, value)| vec![name.to_owned(), clean(&value)]);
        Self { rows: rows.collect() }
    }

    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().map(|cell| clean(&cell)).collect());
    }

    /// The lines, each column as wide as its widest cell.
    fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width_of = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width_of).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.rows.iter().map(line).collect()
    }

    pub(super) fn print(&self) {
        self.lines().iter().for_each(|line| say(line));
    }
}

/// A value that cannot speak to the terminal, and `-` for none.
fn clean(cell: &str) -> String {
    match cell {
        "" => "-".to_owned(),
        text => text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
    }
}

/// Prints one JSON document for programs, or whatever `table` makes for people.
pub(super) fn answer(json: bool, document: &Value, table: impl FnOnce() -> Table) {
    match json {
        true => say(&format!("{document:#}")),
        false => table().print(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_say_nothing_to_the_terminal() {
        let mut table = Table::new(&["id", "name", "plan"]);
        table.row(["a".to_owned(), "Bücher\u{1b}[2J".to_owned(), String::new()]);
        table.row(["longer".to_owned(), "x".to_owned(), "pro".to_owned()]);
        let expected =
            ["ID      NAME        PLAN", "a       Bücher [2J  -", "longer  x           pro"];
        assert_eq!(table.lines(), expected);
    }
}
