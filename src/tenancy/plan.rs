//! Plans: named sets of limits and features that sites are sold with.

use super::{
    Tenants,
    audit::By,
    limits::Overrides,
    sql::{audit, plans},
};
use crate::base::{Clock, Error, Result, clock::Millis, text::Label};
use serde_json::{Map, Value, json};

#[derive(Debug, Clone)]
pub struct Plan {
    pub id: String,
    pub name: String,
    /// Where a customer goes who needs more.
    pub upgrade_url: Option<String>,
    pub overrides: Overrides,
    pub sealed_extra: Option<Vec<u8>>,
    pub created_at: Millis,
    pub updated_at: Millis,
    /// How many sites have it.
    pub tenants: u64,
}

/// What to set of a plan; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct PlanEdit {
    pub name: Option<String>,
    pub upgrade_url: Option<Option<String>>,
    /// JSON Merge Patches (RFC 7396).
    pub limits: Map<String, Value>,
    pub features: Map<String, Value>,
    /// What is kept with the plan for others to read. Replaces what is there.
    pub extra: Option<Map<String, Value>>,
}

const PLACE: &str = "plan";

impl PlanEdit {
    fn apply(&self, plan: &mut Plan, tenants: &Tenants) -> Result<()> {
        if let Some(name) = &self.name {
            plan.name = Label::parse("name", name)?.as_str().to_owned();
        }
        if let Some(url) = &self.upgrade_url {
            plan.upgrade_url = url.as_deref().map(web_address).transpose()?;
        }
        plan.overrides.patch(&self.limits, &self.features)?;
        if let Some(extra) = &self.extra {
            let sealed = || tenants.seal_extra(&format!("{PLACE}/{}", plan.id), extra);
            plan.sealed_extra = if extra.is_empty() { None } else { Some(sealed()?) };
        }
        Ok(())
    }
}

fn web_address(text: &str) -> Result<String> {
    let url = url::Url::parse(text).ok().filter(|u| matches!(u.scheme(), "http" | "https"));
    url.map(String::from)
        .ok_or_else(|| Error::invalid("upgrade_url", "must be an address like https://…"))
}

fn check_id(id: &str) -> Result<()> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
    if (1..=32).contains(&id.len()) && id.bytes().all(plain) {
        return Ok(());
    }
    Err(Error::invalid("id", "must be 1 to 32 of a-z, 0-9, - and _"))
}

impl Tenants {
    pub async fn plans(&self) -> Result<Vec<Plan>> {
        self.control().read(plans::list).await
    }

    /// # Errors
    /// `NotFound` where there is none of this id.
    pub async fn plan(&self, id: &str) -> Result<Plan> {
        let id = id.to_owned();
        let found = self.control().read(move |db| plans::get(db, &id));
        found.await?.ok_or(Error::NotFound("plan"))
    }

    /// What is kept with a plan for others to read.
    pub fn plan_extra(&self, plan: &Plan) -> Result<Map<String, Value>> {
        let place = format!("{PLACE}/{}", plan.id);
        plan.sealed_extra.as_ref().map_or(Ok(Map::new()), |s| self.unseal_extra(&place, s))
    }

    /// # Errors
    /// `Conflict` with code `plan_exists`; `Invalid` for what cannot be set.
    pub async fn create_plan(&self, by: &By, id: &str, edit: PlanEdit) -> Result<Plan> {
        check_id(id)?;
        let now = Clock::now();
        let mut plan = Plan {
            id: id.to_owned(),
            name: id.to_owned(),
            upgrade_url: None,
            overrides: Overrides::default(),
            sealed_extra: None,
            created_at: now,
            updated_at: now,
            tenants: 0,
        };
        edit.apply(&mut plan, self)?;
        let by = by.clone();
        let write = self.control().write(move |db| {
            if plans::get(db, &plan.id)?.is_some() {
                return Err(Error::Conflict {
                    code: "plan_exists",
                    reason: "there is a plan of this id already",
                });
            }
            plans::insert(db, &plan)?;
            audit::insert(db, &by, "plan.create", None, &describe(&plan))?;
            Ok(plan)
        });
        write.await
    }

    /// Changes a plan; every site that has it follows at once.
    pub async fn edit_plan(&self, by: &By, id: &str, edit: PlanEdit) -> Result<Plan> {
        let mut plan = self.plan(id).await?;
        edit.apply(&mut plan, self)?;
        let sealed_extra = plan.sealed_extra;
        let (by, id) = (by.clone(), id.to_owned());
        let write = self.control().write(move |db| {
            // Read again: somebody may have changed other parts of it meanwhile.
            let mut plan = plans::get(db, &id)?.ok_or(Error::NotFound("plan"))?;
            plan.name = edit.name.unwrap_or(plan.name);
            plan.upgrade_url = edit.upgrade_url.unwrap_or(plan.upgrade_url);
            plan.overrides.patch(&edit.limits, &edit.features)?;
            plan.sealed_extra = sealed_extra;
            plans::update(db, &plan)?;
            audit::insert(db, &by, "plan.edit", None, &describe(&plan))?;
            plans::get(db, &id)?.ok_or(Error::NotFound("plan"))
        });
        let plan = write.await?;
        self.changed().await?;
        Ok(plan)
    }

    /// # Errors
    /// `Conflict` with code `plan_in_use` while a site has it.
    pub async fn delete_plan(&self, by: &By, id: &str) -> Result<()> {
        let (by, id) = (by.clone(), id.to_owned());
        let write = self.control().write(move |db| {
            let plan = plans::get(db, &id)?.ok_or(Error::NotFound("plan"))?;
            if plan.tenants > 0 {
                return Err(Error::Conflict {
                    code: "plan_in_use",
                    reason: "sites have this plan: give them another one first",
                });
            }
            plans::delete(db, &id)?;
            audit::insert(db, &by, "plan.delete", None, &json!({ "plan": id }))
        });
        write.await
    }
}

fn describe(plan: &Plan) -> Value {
    json!({
        "plan": plan.id,
        "limits": plan.overrides.limits_json(),
        "features": plan.overrides.features_json(),
    })
}
