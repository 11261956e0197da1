//! Which storages are to be tried for a new item, and in which order. Pure.

use super::Storage;
use crate::storage::Kind;

/// What looks for a place.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// `image`, `video` or `audio`.
    pub kind: &'a str,
    /// Of all its files.
    pub bytes: u64,
    /// Of its largest file.
    pub largest: u64,
    /// Whether the site may keep files on the server's own disk.
    pub may_be_local: bool,
}

/// WebDAV takes only what fits in memory.
const MOST_BY_WEBDAV: u64 = crate::storage::MOST_IN_ONE;

/// The storages that may take it, the best first. Those of one priority take turns by their
/// weights: `chance` is a number by lot. One that failed lately comes last: it is better than none.
pub fn candidates<'a>(
    all: &'a [Storage],
    wanted: &Wanted<'_>,
    mut chance: impl FnMut() -> u64,
) -> Vec<&'a Storage> {
    let mut fit: Vec<_> = all.iter().filter(|storage| fits(storage, wanted)).collect();
    fit.sort_by_key(|storage| (!storage.is_up(), storage.priority, storage.id));
    let mut ordered = Vec::with_capacity(fit.len());
    while let Some(first) = fit.first() {
        let rank = (first.is_up(), first.priority);
        let peers = fit.iter().take_while(|s| (s.is_up(), s.priority) == rank).count();
        let weights = fit.iter().take(peers).map(|s| u64::from(s.weight));
        let total = weights.clone().sum::<u64>().max(1);
        let mut mark = chance() % total;
        let mut chosen = 0;
        for (place, weight) in weights.enumerate() {
            chosen = place;
            if mark < weight {
                break;
            }
            mark -= weight;
        }
        ordered.push(fit.remove(chosen));
    }
    ordered
}

fn fits(storage: &Storage, wanted: &Wanted<'_>) -> bool {
    let has_room = storage.capacity.is_none_or(|most| {
        storage.bytes.checked_add(wanted.bytes).is_some_and(|bytes| bytes <= most)
    });
    let takes_size = storage.kind != Kind::Webdav || wanted.largest <= MOST_BY_WEBDAV;
    let is_allowed = !storage.is_local() || wanted.may_be_local;
    !storage.is_read_only
        && storage.takes.takes(wanted.kind)
        && has_room
        && takes_size
        && is_allowed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{
            Clock,
            clock::Millis,
            ids::{PublicId, StorageId},
        },
        site::storages::{Delivery, Takes},
        storage::{Place, Template},
    };

    fn storage(id: i64, priority: i64, weight: u32) -> Storage {
        Storage {
            id: StorageId(id),
            public_id: PublicId::random().unwrap(),
            name: id.to_string(),
            kind: if id == 1 { Kind::Local } else { Kind::S3 },
            place: Place::default(),
            takes: Takes::ALL,
            capacity: None,
            priority,
            weight,
            is_read_only: false,
            delivery: Delivery::Proxy,
            public_url: None,
            purge_url: None,
            template: Template::default(),
            items: 0,
            bytes: 0,
            failures: 0,
            down_until: None,
            problem: None,
            created_at: Millis(0),
            updated_at: Millis(0),
        }
    }

    const PICTURE: Wanted<'_> =
        Wanted { kind: "image", bytes: 100, largest: 80, may_be_local: true };

    fn ids(all: &[Storage], wanted: &Wanted<'_>, chance: u64) -> Vec<i64> {
        candidates(all, wanted, || chance).iter().map(|s| s.id.0).collect()
    }

    #[test]
    fn priorities_come_first_and_weights_share_them() {
        let all = [storage(1, 100, 1), storage(2, 10, 3), storage(3, 10, 1)];
        assert_eq!(ids(&all, &PICTURE, 0), [2, 3, 1]);
        assert_eq!(ids(&all, &PICTURE, 2), [2, 3, 1]);
        assert_eq!(ids(&all, &PICTURE, 3), [3, 2, 1]);
        let first = |chance| ids(&all, &PICTURE, chance).first().copied();
        let times = (0..400).filter(|chance| first(*chance) == Some(2)).count();
        assert_eq!(times, 300);
    }

    #[test]
    fn what_does_not_fit_is_left_out() {
        let full = Storage { capacity: Some(1_000), bytes: 901, ..storage(2, 1, 1) };
        let roomy = Storage { capacity: Some(1_000), bytes: 900, ..storage(3, 2, 1) };
        let closed = Storage { is_read_only: true, ..storage(4, 1, 1) };
        let films = Takes { image: false, video: true, audio: false };
        let films = Storage { takes: films, ..storage(5, 1, 1) };
        let all = [storage(1, 9, 1), full, roomy, closed, films];
        assert_eq!(ids(&all, &PICTURE, 0), [3, 1]);
        assert_eq!(ids(&all, &Wanted { may_be_local: false, ..PICTURE }, 0), [3]);
        assert_eq!(ids(&all, &Wanted { kind: "video", ..PICTURE }, 0), [5, 3, 1]);
        let dav = [Storage { kind: Kind::Webdav, ..storage(2, 1, 1) }];
        assert_eq!(ids(&dav, &PICTURE, 0), [2]);
        assert_eq!(ids(&dav, &Wanted { largest: u64::MAX, ..PICTURE }, 0), [0i64; 0]);
    }

    #[test]
    fn what_failed_lately_comes_last() {
        let down = Some(Clock::now().plus_ms(60_000));
        let all = [storage(1, 100, 1), Storage { down_until: down, ..storage(2, 1, 1) }];
        assert_eq!(ids(&all, &PICTURE, 0), [1, 2]);
        let over = Some(Clock::now().plus_ms(-1));
        let all = [storage(1, 100, 1), Storage { down_until: over, ..storage(2, 1, 1) }];
        assert_eq!(ids(&all, &PICTURE, 0), [2, 1]);
    }
}
