//! Names for what lies in one folder: each is one, and the same for as long as the folder is.

use std::collections::HashSet;

/// Gives everything its name, in the order in which names are given away: the first keeps its own,
/// and whatever would be called the same gets its id put to it, as in `beach (8fKq2ZtP9x).jpg`.
#[derive(Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    pub(super) fn give(&mut self, wanted: &str, id: &str) -> String {
        let plain = plain(wanted);
        let name = if self.0.contains(&plain) { with_id(&plain, id) } else { plain };
        self.0.insert(name.clone());
        name
    }
}

/// What can be a name, of a title that says anything.
fn plain(title: &str) -> String {
    let plain: String =
        title.chars().map(|c| if c == '/' || c.is_control() { '_' } else { c }).collect();
    if matches!(&*plain, "" | "." | "..") { "_".to_owned() } else { plain }
}

fn with_id(name: &str, id: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, ending)) if !stem.is_empty() => format!("{stem} ({id}).{ending}"),
        _ => format!("{name} ({id})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_called_the_same() {
        let mut names = Names::default();
        assert_eq!(names.give("a.jpg", "1"), "a.jpg");
        assert_eq!(names.give("a.jpg", "2"), "a (2).jpg");
        assert_eq!(names.give("a.jpg", "3"), "a (3).jpg");
        assert_eq!(names.give("A.jpg", "4"), "A.jpg");
        assert_eq!(names.give("Sea", "5"), "Sea");
        assert_eq!(names.give("Sea", "6"), "Sea (6)");
        assert_eq!(names.give(".x", "7"), ".x");
        assert_eq!(names.give(".x", "8"), ".x (8)");
    }

    #[test]
    fn a_title_becomes_a_name() {
        for (title, name) in
            [("a/b", "a_b"), ("a\nb", "a_b"), ("", "_"), ("..", "_"), (".", "_"), ("été", "été")]
        {
            assert_eq!(Names::default().give(title, "1"), name);
        }
    }
}
