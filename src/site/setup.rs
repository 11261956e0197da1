//! Setting a site up: its first admin and its name, at once or not at all.

use super::settings;
use crate::{
    accounts::{User, setup::FirstAdmin},
    base::{Result, text::Label},
    tenancy::Tenant,
};
use serde_json::{Map, Value};

/// Makes the first admin, and names the site where a name is given.
pub async fn complete(tenant: &Tenant, admin: FirstAdmin, name: Option<String>) -> Result<User> {
    let name = name.filter(|name| !name.trim().is_empty());
    let name = name.map(|name| Label::parse("site_name", &name)).transpose()?;
    let name = name.map(|name| ("name".to_owned(), Value::String(name.as_str().to_owned())));
    let changes: Map<_, _> = name.into_iter().collect();
    tenant
        .write(move |db| {
            let user = admin.insert(db)?;
            settings::apply(db, &changes)?;
            Ok(user)
        })
        .await
}
