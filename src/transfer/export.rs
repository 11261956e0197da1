//! A site in a form that needs no Vitrina to be read: JSON, SQLite and the originals as they are.

use super::{
    Listener, Manifest, Meter, fill,
    gather::Files,
    sink::Sink,
    snapshot::{self, Snapshot},
    sql,
};
use crate::{
    base::{Result, ids::TenantId},
    db::Write,
    site::settings,
    tenancy::{Site, Tenants, audit::By},
};
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{BufWriter, Write as _},
    path::{Path, PathBuf},
};

const README: &str = "This is everything that one site of Vitrina holds, as of one moment.

site.json      The site: its id, its name, its hostnames (the canonical one first), its plan, what
               it was allowed in difference from the plan, and which version wrote this.
settings.json  Every setting of the site with its value.
users.json     The people: username, email, role (user, manager or admin), and when they were added
               and last changed. Nothing that proves who they are is in it.
media.json     The items, in the order of their upload. Of each:
                 id            its name in addresses, as in /m/<id>
                 owner         whose it is: a username of users.json
                 original      where its file lies here
                 folder, file  the same in parts
                 filename      the name it was uploaded with
                 mime, bytes, sha256          of the original
                 width, height, frames, is_animated, duration_ms   as a viewer sees it
                 title, description, tags, nsfw, visibility (public, unlisted or private)
                 placeholder   ThumbHash in base 64
                 color         the average colour
                 metadata      what the camera wrote; taken_at: when, by the camera's clock
                 created_at, updated_at
                 expires_at    when it ends, if ever
                 trashed_at    since when it lies in the trash, if it does
                 source_file   the file as it was uploaded, where the site keeps that too
                 variants      what was made of the original; these files are not in here
originals/     The files that the site shows (without what it takes out of uploads), and those that
               it keeps as they were uploaded.
site.sqlite    The database itself (SQLite 3), complete. It holds the hashes of passwords and
               tokens: keep it as you keep secrets.
SHA256SUMS     Checksums of all files: `sha256sum --check SHA256SUMS`.

Times are UTC, in RFC 3339. Text is UTF-8.
";

#[derive(Debug, Serialize)]
pub struct Report {
    pub id: String,
    pub path: PathBuf,
    pub media: u64,
    pub files: u64,
    pub bytes: u64,
}

/// Writes a site out while it serves on: into one file where the name ends in `.tar`, and into a
/// folder otherwise. It appears only when it is whole and on the disk.
///
/// # Errors
/// `Conflict` with code `export_exists`; `Rejected` with code `bad_source` where an original is
/// missing or broken.
pub async fn export(
    tenants: &Tenants,
    by: &By,
    id: &TenantId,
    to: &Path,
    listener: &Listener,
) -> Result<Report> {
    let site = about(&Manifest::of(tenants, id).await?);
    let path = to.to_owned();
    let written = snapshot::with(tenants, id, |snapshot| async move {
        let meter = listener.meter("exporting", Some(snapshot.bytes));
        let writing = tokio::task::spawn_blocking(move || {
            let media = write(&snapshot, site, &path, &meter)?;
            Ok((media, meter.done()))
        });
        writing.await?
    });
    let (media, done) = written.await?;
    tenants.note(by, "tenant.export", Some(id.as_str()), json!({ "media": media })).await?;
    Ok(Report {
        id: id.to_string(),
        path: to.to_owned(),
        media,
        files: done.files,
        bytes: done.bytes,
    })
}

fn about(manifest: &Manifest) -> Value {
    json!({
        "id": manifest.id,
        "name": manifest.name,
        "hostnames": manifest.hostnames,
        "plan": manifest.plan,
        "limits": manifest.limits,
        "features": manifest.features,
        "trial": manifest.trial,
        "suspended": manifest.suspended,
        "created_at": manifest.created_at,
        "exported_at": manifest.taken_at,
        "vitrina": manifest.vitrina,
        "schema_steps": manifest.schema_steps,
    })
}

/// Writes all of it. Returns how many items there are.
fn write(snapshot: &Snapshot, site: Value, to: &Path, meter: &Meter) -> Result<u64> {
    let mut sink = Sink::create(to)?;
    sink.text("README.txt", README.as_bytes())?;
    let list = snapshot.scratch.path().join("media.json");
    let media = snapshot::write(&snapshot.database, |db| {
        sink.text("site.json", &pretty(&site)?)?;
        sink.text("settings.json", &pretty(&settings::load(db)?.to_json().into())?)?;
        sink.text("users.json", &pretty(&sql::users(db)?.into())?)?;
        let media = write_list(db, &list)?;
        sink.file("media.json", &list, meter)?;
        sql::each_file(db, |named| original(&mut sink, &snapshot.files, &named, meter))?;
        Ok(media)
    })?;
    sink.file("site.sqlite", &snapshot.database, meter)?;
    sink.finish()?;
    Ok(media)
}

/// The list may be long: it is never in memory as a whole.
fn write_list(db: &Write<Site>, to: &Path) -> Result<u64> {
    let mut out = BufWriter::new(File::create(to)?);
    let mut written = 0;
    out.write_all(b"[")?;
    sql::each_media(db, |media| {
        out.write_all(if written == 0 { b"\n" } else { b",\n" })?;
        written += 1;
        Ok(serde_json::to_writer(&mut out, &media)?)
    })?;
    out.write_all(b"\n]\n")?;
    out.flush()?;
    Ok(written)
}

fn original(sink: &mut Sink, files: &Files, named: &sql::Named, meter: &Meter) -> Result<()> {
    if named.is_variant {
        return Ok(());
    }
    let (folder, file) = (named.folder.as_str(), fill::checked_name(&named.file)?);
    let written =
        sink.file(&format!("originals/{folder}/{file}"), &files.folder(folder).join(file), meter)?;
    let is_whole = named.sha256.is_none_or(|known| known == written);
    if is_whole { Ok(()) } else { Err(fill::damaged(folder, file)) }
}

fn pretty(value: &Value) -> Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}
