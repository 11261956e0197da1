//! The keys of the sites: each has one of its own, drawn by lot and sealed by a key that comes
//! from the appliance's. Changing the appliance's key seals them anew and touches nothing else.

use super::{
    Control, Tenants,
    sql::{leftovers, plans, tenants},
};
use crate::{
    base::{Error, Result, ids::TenantId, secret::Key},
    db::{Db, Read, Write},
};
use serde_json::{Map, Value};

/// What [`check`] seals: any text will do.
const KNOWN: &[u8] = b"vitrina";
const CHECK: &str = "key check";

/// Finds out whether this is the key that the control file was written with.
///
/// # Errors
/// `Conflict` with code `wrong_key` where it is not.
pub(super) fn check(key: &Key, control: &Db<Control>) -> Result<()> {
    if control.read_now(tenants::key_check)?.is_none() {
        let sealed = key.seal(CHECK, KNOWN)?;
        return control.write_now(|db| match tenants::key_check(db)? {
            // Another process was faster.
            Some(_) => check_in(key, db),
            None => tenants::set_key_check(db, &sealed),
        });
    }
    control.read_now(|db| check_in(key, db))
}

/// The same inside the transaction that writes what was sealed: the key may have been changed by
/// another process meanwhile.
pub(super) fn check_in(key: &Key, db: &Read<Control>) -> Result<()> {
    let sealed = tenants::key_check(db)?;
    sealed.map_or(Ok(()), |sealed| key.unseal(CHECK, &sealed).map(drop))
}

/// The key that seals what belongs to one site.
fn sealing(appliance: &Key, id: &str) -> Key {
    appliance.derive(&format!("tenant/{id}/seal"))
}

const KEY: &str = "key";
const EXTRA: &str = "extra";

impl Tenants {
    /// A fresh key for a new site, sealed.
    pub(super) fn new_sealed_key(&self, id: &TenantId) -> Result<Vec<u8>> {
        self.sealed_key(id, &Key::random()?)
    }

    /// A key that a site brings along, sealed.
    pub(super) fn sealed_key(&self, id: &TenantId, key: &Key) -> Result<Vec<u8>> {
        sealing(&self.data.key, id.as_str()).seal(KEY, &key.bytes())
    }

    /// The site's key. Sites that were made before keys were drawn by lot keep the one they had,
    /// so that the addresses they signed stay good.
    pub(super) async fn tenant_key(&self, id: &TenantId) -> Result<Key> {
        let asked = id.clone();
        let sealing = sealing(&self.data.key, id.as_str());
        match self.control().read(move |db| tenants::sealed_key(db, &asked)).await? {
            Some(sealed) => open_key(&sealing, &sealed),
            None => {
                let key = self.data.key.derive(&format!("tenant/{id}"));
                let (sealed, id) = (sealing.seal(KEY, &key.bytes())?, id.clone());
                let appliance = self.data.key.clone();
                let write = self.control().write(move |db| {
                    check_in(&appliance, db)?;
                    tenants::set_sealed_key(db, &id, &sealed)
                });
                write.await?;
                Ok(key)
            }
        }
    }

    pub(super) fn unseal_key(&self, id: &TenantId, sealed: &[u8]) -> Result<Key> {
        open_key(&sealing(&self.data.key, id.as_str()), sealed)
    }

    /// What is kept with a site for others to read.
    pub async fn extra(&self, id: &TenantId) -> Result<Map<String, Value>> {
        let asked = id.clone();
        let sealed = self.control().read(move |db| tenants::extra(db, &asked)).await?;
        sealed.map_or(Ok(Map::new()), |s| self.unseal_extra(&format!("tenant/{id}"), &s))
    }

    /// Replaces what is kept with a site for others to read.
    pub async fn set_extra(&self, id: &TenantId, extra: &Map<String, Value>) -> Result<()> {
        let sealed = match extra.is_empty() {
            true => None,
            false => Some(self.seal_extra(&format!("tenant/{id}"), extra)?),
        };
        let (id, key) = (id.clone(), self.data.key.clone());
        let write = self.control().write(move |db| {
            check_in(&key, db)?;
            tenants::set_extra(db, &id, sealed.as_deref())
        });
        write.await
    }

    pub(super) fn seal_extra(&self, place: &str, extra: &Map<String, Value>) -> Result<Vec<u8>> {
        let text = serde_json::to_vec(extra)?;
        self.data.key.derive(place).seal(EXTRA, &text)
    }

    pub(super) fn unseal_extra(&self, place: &str, sealed: &[u8]) -> Result<Map<String, Value>> {
        Ok(serde_json::from_slice(&self.data.key.derive(place).unseal(EXTRA, sealed)?)?)
    }
}

fn open_key(sealing: &Key, sealed: &[u8]) -> Result<Key> {
    let bytes = sealing.unseal(KEY, sealed)?;
    let bytes = bytes.try_into().map_err(|_| Error::internal("a sealed key has a wrong size"))?;
    Ok(Key::new(bytes))
}

/// Seals everything anew under another key of the appliance, in one transaction. Blocks. Returns
/// how many sites were sealed anew.
///
/// # Errors
/// `Conflict` with code `wrong_key` where the old key is not the one that was used here.
pub(super) fn rotate(control: &Db<Control>, old: &Key, new: &Key) -> Result<usize> {
    control.write_now(move |db| {
        check_in(old, db)?;
        let ids = tenants::all(db)?;
        for id in &ids {
            reseal_tenant(db, id, old, new)?;
        }
        for mut plan in plans::list(db)? {
            if let Some(sealed) = plan.sealed_extra.take() {
                let place = format!("plan/{}", plan.id);
                plan.sealed_extra = Some(reseal(old, new, &place, EXTRA, &sealed)?);
                plans::update(db, &plan)?;
            }
        }
        for (left, id, sealed) in leftovers::keys(db)? {
            let key = open_key(&sealing(old, &id), &sealed)?;
            leftovers::set_key(db, &left, &sealing(new, &id).seal(KEY, &key.bytes())?)?;
        }
        tenants::set_key_check(db, &new.seal(CHECK, KNOWN)?)?;
        Ok(ids.len())
    })
}

fn reseal_tenant(db: &Write<Control>, id: &TenantId, old: &Key, new: &Key) -> Result<()> {
    let key = match tenants::sealed_key(db, id)? {
        Some(sealed) => open_key(&sealing(old, id.as_str()), &sealed)?,
        None => old.derive(&format!("tenant/{id}")),
    };
    let sealed = sealing(new, id.as_str()).seal(KEY, &key.bytes())?;
    tenants::set_sealed_key(db, id, &sealed)?;
    if let Some(sealed) = tenants::extra(db, id)? {
        let resealed = reseal(old, new, &format!("tenant/{id}"), EXTRA, &sealed)?;
        tenants::set_extra(db, id, Some(&resealed))?;
    }
    Ok(())
}

fn reseal(old: &Key, new: &Key, whose: &str, place: &str, sealed: &[u8]) -> Result<Vec<u8>> {
    new.derive(whose).seal(place, &old.derive(whose).unseal(place, sealed)?)
}
