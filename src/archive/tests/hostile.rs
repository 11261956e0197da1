//! Archives that must be refused.

use super::{
    craft::{Craft, GOOD_MANIFEST},
    manifest, verify,
};
use std::fs;
use tempfile::TempDir;

#[test]
fn a_crafted_archive_can_be_good() {
    let root = TempDir::new().unwrap();
    let path = Craft::start().entry("media/a/b.jpg", "jpeg").finish().save(root.path());
    assert_eq!(verify(&path, &mut |_| true).unwrap().files, 3);
}

#[test]
fn names_that_lead_elsewhere() {
    let names = [
        "../evil",
        "/etc/evil",
        "media/../../evil",
        "media/a/../../../evil",
        "media//a",
        "media/",
        "media/./a",
        "media/.hidden",
        "media/a\\b",
        "media/a b",
        "media/a\nb",
        "media/ä",
        "./a",
        "C:/evil",
        "media/..",
    ];
    for name in names {
        let reason = Craft::start().entry(name, "evil").finish().refusal();
        let expected = format!("`{}` is a name that no archive has", name.escape_debug());
        assert_eq!(reason, expected);
    }
    // The other half of a name lies elsewhere in the header.
    let prefixed =
        Craft::start().with(|h| h.as_ustar_mut().unwrap().prefix[..5].copy_from_slice(b"/root"));
    assert!(prefixed.finish().refusal().starts_with("`/root/media/a` is a name"));
}

#[test]
fn entries_that_are_no_plain_files() {
    for kind in *b"1234567LKxgSDVMA" {
        let crafted = Craft::start().with(|h| {
            h.set_entry_type(tar::EntryType::new(kind));
            h.as_ustar_mut().unwrap().linkname[..11].copy_from_slice(b"/etc/passwd");
        });
        assert_eq!(crafted.finish().refusal(), "`media/a` is not a plain file");
    }
}

#[test]
fn names_out_of_order() {
    let refusal = |names: &[&str]| {
        let all = names.iter().fold(Craft::start(), |craft, name| craft.entry(name, "x"));
        all.finish().refusal()
    };
    assert_eq!(refusal(&["media/a", "media/a"]), "`media/a` is there twice");
    let twice = "`media/a` is there twice, or not in its order";
    assert_eq!(refusal(&["media/a", "media/b", "media/a"]), twice);
    assert_eq!(
        refusal(&["media/a", "media/a/b"]),
        "`media/a/b` lies in `media/a`, which is a file"
    );
    assert_eq!(refusal(&["site.sqlite"]), "`site.sqlite` does not belong there");
    assert_eq!(refusal(&["manifest.json"]), "`manifest.json` does not belong there");
    assert_eq!(refusal(&["media"]), "`media` does not belong there");
    assert_eq!(refusal(&["evil.so"]), "`evil.so` does not belong there");
    assert_eq!(
        Craft::default().entry("site.sqlite", "x").finish().refusal(),
        "`site.sqlite` is where `manifest.json` should be"
    );
    assert_eq!(
        Craft::default().entry("manifest.json", GOOD_MANIFEST).finish().refusal(),
        "`checksums.json` is where `site.sqlite` should be"
    );
    assert_eq!(Craft::default().end().refusal(), "`manifest.json` is missing");
}

#[test]
fn lists_that_do_not_fit() {
    let start = || Craft::start().entry("media/b", "x");
    assert_eq!(start().unlisted("media/c", "x").finish().refusal(), "`media/c` is not listed");
    let before = Craft::start().unlisted("media/a", "x").entry("media/b", "x");
    assert_eq!(before.finish().refusal(), "`media/a` is not listed");
    let listed = "`media/c` is listed and not there";
    assert_eq!(start().listed("media/c", "x").finish().refusal(), listed);
    let between = Craft::start().listed("media/a", "x").entry("media/b", "x");
    assert_eq!(between.finish().refusal(), "`media/a` is listed and not there");
    let other = start().unlisted("media/c", "x").listed("media/c", "y");
    assert_eq!(other.finish().refusal(), "`media/c` is not what it was when it was packed");
    let longer = start().unlisted("media/c", "x").listed("media/c", "xx");
    assert_eq!(longer.finish().refusal(), "`media/c` is not what it was when it was packed");
    assert_eq!(start().end().refusal(), "`checksums.json` is missing");
    assert_eq!(
        start().listed("\u{1b}[2J../evil", "x").finish().refusal(),
        "`\\u{1b}[2J../evil` is listed and not there"
    );
}

#[test]
fn lists_that_cannot_be_read() {
    let texts = [
        "",
        "[]",
        "{}",
        "null",
        "{\"files\":[]} x",
        "{\"files\":[]",
        "{\"files\":[],\"files\":[]}",
        "{\"files\":[{\"path\":\"manifest.json\",\"bytes\":-1,\"sha256\":\"00\"}]}",
        "{\"files\":[{\"path\":\"manifest.json\",\"bytes\":1,\"sha256\":\"00\"}]}",
    ];
    for text in texts {
        let reason = Craft::start().unlisted("checksums.json", text).end().refusal();
        assert!(reason.starts_with("`checksums.json` cannot be read: "), "{text}: {reason}");
    }
    let deep = format!("{{\"files\":{}", "[".repeat(100_000));
    assert!(Craft::start().unlisted("checksums.json", &deep).end().refusal().contains("read"));
}

#[test]
fn manifests_of_something_else() {
    let refusal = |text: &str| {
        let crafted = Craft::default().entry("manifest.json", text).entry("site.sqlite", "x");
        let root = TempDir::new().unwrap();
        assert!(manifest(&crafted.save(root.path())).is_err());
        crafted.finish().refusal()
    };
    assert!(refusal("{").starts_with("`manifest.json` cannot be read: "));
    assert!(refusal(r#"{"format":"vitrina-tenant","version":1}"#).contains("tenant"));
    let other = refusal(r#"{"format":"zip","version":1,"tenant":{}}"#);
    assert_eq!(other, "`manifest.json` names another format");
    for version in ["0", "2", "1.5", "\"1\"", "null"] {
        let text = format!(r#"{{"format":"vitrina-tenant","version":{version},"tenant":{{}}}}"#);
        assert!(refusal(&text).ends_with("a version of the format other than 1"));
    }
    assert!(refusal(&" ".repeat((1 << 20) + 1)).ends_with("longer than 1048576 bytes"));
    assert!(refusal(&"[".repeat(1 << 20)).starts_with("`manifest.json` cannot be read: "));
}

#[test]
fn lengths_that_make_no_sense() {
    for bytes in [1, 4096, 1 << 33, u64::MAX - 511, u64::MAX - 1, u64::MAX] {
        let reason = Craft::start().with(|h| h.set_size(bytes)).refusal();
        assert_eq!(reason, "it ends in the middle of `media/a`");
    }
    let garbage = Craft::start().with(|h| h.as_old_mut().size = *b"zzzzzzzzzzzz");
    assert!(garbage.refusal().ends_with("a length or a time that makes no sense"));
    let future = Craft::start().with(|h| h.set_mtime(u64::MAX));
    assert!(future.refusal().ends_with("a length or a time that makes no sense"));
}

#[test]
fn a_list_over_its_limit() {
    let root = TempDir::new().unwrap();
    let path = Craft::start()
        .with(|h| {
            h.as_old_mut().name = [0; 100];
            h.as_old_mut().name[..14].copy_from_slice(b"checksums.json");
            h.set_size((256 << 20) + 512);
        })
        .save(root.path());
    fs::File::options().append(true).open(&path).unwrap().set_len(300 << 20).unwrap();
    let error = verify(&path, &mut |_| true).unwrap_err();
    assert!(error.to_string().ends_with("`checksums.json` is longer than 268435456 bytes"));
}

#[test]
fn nothing_may_be_cut_off() {
    let whole = Craft::start().entry("media/a", "some bytes").finish();
    for length in (0..whole.bytes.len()).step_by(37) {
        let mut cut = Craft { bytes: whole.bytes.clone(), ..Craft::default() };
        cut.bytes.truncate(length);
        let reason = cut.refusal();
        assert!(
            reason.starts_with("it is cut off") || reason.starts_with("it ends in"),
            "{reason}"
        );
    }
}

#[test]
fn no_byte_may_differ() {
    let root = TempDir::new().unwrap();
    let mut craft = Craft::start().entry("media/a", "some bytes").finish();
    for at in 0..craft.bytes.len() {
        craft.bytes[at] ^= 1;
        if at % 37 == 0 {
            craft.refusal();
        }
        let error = verify(&craft.save(root.path()), &mut |_| true).unwrap_err();
        assert_eq!(super::code(&error), "bad_archive", "at {at}");
        craft.bytes[at] ^= 1;
    }
}

#[test]
fn nothing_may_follow() {
    let whole = || Craft::start().finish();
    assert_eq!(whole().unlisted("media/a", "x").refusal(), "there is something after its end");
    let instead = Craft::start().unlisted("checksums.json", "{}");
    assert!(instead.unlisted("media/a", "x").end().refusal().contains("`checksums.json`"));
    let mut zeros = whole();
    zeros.bytes.resize(zeros.bytes.len() + 9000, 0);
    let root = TempDir::new().unwrap();
    verify(&zeros.save(root.path()), &mut |_| true).unwrap();
}

#[test]
fn something_else_than_a_file() {
    let root = TempDir::new().unwrap();
    assert_eq!(super::code(&verify(root.path(), &mut |_| true).unwrap_err()), "bad_archive");
    let missing = verify(&root.path().join("none.tar"), &mut |_| true).unwrap_err();
    assert!(missing.in_full().contains("none.tar"));
}
