//! Every statement about what only films and recordings have.

use super::unsigned;
use crate::{
    base::{Result, ids::MediaId},
    db::{Read, Write},
    media::film::{Av, Origin},
    sql,
    tenancy::Site,
};
use rusqlite::{OptionalExtension, Row, params};

sql! {
    PUT = "INSERT INTO av (media_id, video_codec, audio_codec, bit_rate, frame_rate, channels,
        sample_rate, tracks, artist, album, poster, poster_at_ms)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    GET = "SELECT video_codec, audio_codec, bit_rate, frame_rate, channels, sample_rate, tracks,
        artist, album, poster, poster_at_ms FROM av WHERE media_id = ?1";
    SET_POSTER = "UPDATE av SET poster = ?2, poster_at_ms = ?3 WHERE media_id = ?1";
    DROP_POSTER = "DELETE FROM variants WHERE media_id = ?1 AND role = 'poster'";
    SET_SIZE = "UPDATE media SET width = ?2, height = ?3 WHERE id = ?1 AND kind = 'audio'";
}

pub(super) fn put(db: &Write<Site>, id: MediaId, av: &Av) -> Result<()> {
    db.prepare_cached(PUT)?.execute(params![
        id,
        av.video_codec,
        av.audio_codec,
        av.bit_rate.map(|bits| i64::try_from(bits).unwrap_or(i64::MAX)),
        av.frame_rate,
        av.channels,
        av.sample_rate,
        av.tracks,
        av.artist,
        av.album,
        av.poster.as_str(),
        av.poster_at_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX)),
    ])?;
    Ok(())
}

pub(super) fn get(db: &Read<Site>, id: MediaId) -> Result<Option<Av>> {
    Ok(db.prepare_cached(GET)?.query_row([id], read).optional()?)
}

fn read(r: &Row) -> rusqlite::Result<Av> {
    let poster: String = r.get(9)?;
    let origin = Origin::ALL.into_iter().find(|origin| origin.as_str() == poster);
    Ok(Av {
        video_codec: r.get(0)?,
        audio_codec: r.get(1)?,
        bit_rate: r.get::<_, Option<i64>>(2)?.map(i64::unsigned_abs),
        frame_rate: r.get(3)?,
        channels: r.get(4)?,
        sample_rate: r.get(5)?,
        tracks: r.get(6)?,
        artist: r.get(7)?,
        album: r.get(8)?,
        // The schema admits no other words.
        poster: origin.unwrap_or(Origin::Neutral),
        poster_at_ms: match r.get_ref(10)? {
            rusqlite::types::ValueRef::Null => None,
            _ => Some(unsigned(r, 10)?),
        },
    })
}

/// Puts another poster in place of the old one. Of a recording it also gives the size.
pub(in crate::media) fn set_poster(
    db: &Write<Site>,
    id: MediaId,
    poster: &crate::media::poster::Poster,
) -> Result<()> {
    db.prepare_cached(DROP_POSTER)?.execute([id])?;
    super::insert_variants(db, id, std::slice::from_ref(&poster.variant))?;
    let at_ms = poster.at_ms.map(|ms| i64::try_from(ms).unwrap_or(i64::MAX));
    db.prepare_cached(SET_POSTER)?.execute(params![id, poster.origin.as_str(), at_ms])?;
    let variant = &poster.variant;
    db.prepare_cached(SET_SIZE)?.execute(params![id, variant.width, variant.height])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_statement_prepares() {
        crate::db::sql::assert_prepares::<crate::tenancy::Site>(super::STATEMENTS);
    }
}
