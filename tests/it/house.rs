//! The rules of the house, checked by machine. When one of these fails, mend the code, or move
//! the rule on purpose and say so in ARCHITECTURE.md.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Rooms from the ground up. A room may use any room below its own floor, and none beside it.
const FLOORS: &[&[&str]] = &[
    &["base"],
    &["archive", "av", "cache", "config", "db", "http", "imaging", "outward", "storage"],
    &["tenancy", "web"],
    &["accounts"],
    &["jobs", "site"],
    &["media"],
    &["albums", "transfer", "tus"],
    &["api", "operator", "worker"],
    &["compat", "docs"],
    &["app"],
    &["server"],
    &["cli"],
];

#[test]
fn arrows_point_down() {
    let mut broken = Vec::new();
    for (path, text) in sources() {
        let room = room_of(&path);
        for used in rooms_used(&text) {
            if used != room && floor(&used) >= floor(&room) {
                broken.push(format!("{} uses {used}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_codemap_names_every_room() {
    let architecture = fs::read_to_string("ARCHITECTURE.md").unwrap();
    let lib = fs::read_to_string("src/lib.rs").unwrap();
    for room in FLOORS.iter().flat_map(|f| f.iter()) {
        assert!(architecture.contains(&format!("| `{room}` |")), "ARCHITECTURE.md lacks {room}");
        assert!(lib.contains(&format!("pub mod {room};")), "lib.rs lacks {room}");
    }
}

#[test]
fn no_file_outgrows_its_reader() {
    let more =
        ["tests", "assets/ui", "assets/style"].iter().flat_map(|d| files_under(Path::new(d)));
    for path in files_under(Path::new("src")).into_iter().chain(more) {
        let is_text =
            path.extension().is_some_and(|e| e == "rs" || e == "js" || e == "mjs" || e == "css");
        if is_text
            && !path
                .components()
                .any(|c| c.as_os_str() == "node_modules" || c.as_os_str() == "target")
        {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 400, "{} has {lines} lines", path.display());
        }
    }
}

#[test]
fn every_file_says_first_what_it_is() {
    for (path, text) in sources() {
        assert!(text.starts_with("//! "), "{} does not say what it is", path.display());
    }
}

#[test]
fn sql_is_written_in_its_own_files() {
    for (path, text) in sources() {
        let name = path.display().to_string();
        let at_home =
            room_of(&path) == "db" || name.contains("/sql") || name.ends_with("/control.rs");
        for word in ["SELECT ", "INSERT INTO", "DELETE FROM", "UPDATE "] {
            let code = text.lines().filter(|l| !l.trim_start().starts_with("//"));
            let found = code
                .filter(|l| l.contains(&format!("\"{word}")) || l.contains(&format!("\" {word}")));
            assert!(at_home || found.count() == 0, "{name} holds SQL");
        }
        let may_name_sqlite = at_home || matches!(&*room_of(&path), "base" | "storage");
        assert!(may_name_sqlite || !text.contains("rusqlite"), "{name} knows rusqlite");
    }
}

#[test]
fn only_the_outward_room_opens_connections() {
    for (path, text) in sources() {
        let outward = room_of(&path) == "outward";
        assert!(outward || !text.contains("reqwest"), "{} fetches", path.display());
    }
}

#[test]
fn pictures_films_and_pages_know_no_tenant() {
    for (path, text) in sources() {
        let room = room_of(&path);
        if room == "web" {
            assert!(!text.contains("crate::"), "{} knows more than the API", path.display());
        }
        if room == "imaging" || room == "av" {
            assert!(!text.contains("tenancy") && !text.contains("poem"), "{}", path.display());
        }
    }
}

#[test]
fn every_schema_step_is_embedded() {
    for (folder, home) in [("tenant", "src/tenancy/mod.rs"), ("control", "src/tenancy/control.rs")]
    {
        let text = fs::read_to_string(home).unwrap();
        for step in files_under(&Path::new("schema").join(folder)) {
            let name = step.file_stem().unwrap().to_str().unwrap();
            assert!(text.contains(&format!("\"{name}\"")), "{home} does not apply {name}");
        }
    }
}

fn floor(room: &str) -> usize {
    let floor = FLOORS.iter().position(|f| f.contains(&room));
    floor.unwrap_or_else(|| panic!("{room} stands on no floor"))
}

/// The rooms that a text names behind `crate::`, alone or in a list.
fn rooms_used(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .filter(|l| !l.trim_start().starts_with("//"))
        .map(|l| format!("{l}\n"))
        .collect();
    let mut rooms = Vec::new();
    for after in code.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            Some(list) => rooms.extend(first_words(list)),
            None => rooms.extend(word(after)),
        }
    }
    rooms.retain(|room| FLOORS.iter().any(|f| f.contains(&room.as_str())));
    rooms
}

/// The words that a list in braces starts its items with, not those of lists inside it.
fn first_words(list: &str) -> Vec<String> {
    let (mut depth, mut words, mut starts) = (1, Vec::new(), true);
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' if depth == 1 => starts = true,
            c if c.is_whitespace() => {}
            _ if starts => {
                words.extend(word(&list[at..]));
                starts = false;
            }
            _ => {}
        }
    }
    words
}

fn word(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

fn room_of(path: &Path) -> String {
    let inside = path.strip_prefix("src").unwrap();
    inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

fn sources() -> Vec<(PathBuf, String)> {
    let all = files_under(Path::new("src")).into_iter();
    let rooms = all.filter(|p| !p.ends_with("main.rs") && !p.ends_with("lib.rs"));
    rooms.map(|p| (p.clone(), fs::read_to_string(p).unwrap())).collect()
}

fn files_under(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let paths = entries.map(|e| e.unwrap().path());
    paths.flat_map(|p| if p.is_dir() { files_under(&p) } else { vec![p] }).collect()
}
