//! Hearing of changes that others made: another process through Redis, or through the control
//! file, whose `data_version` moves with every commit of somebody else.

use super::Tenants;
use crate::{base::Result, db::Watcher};
use std::{sync::Arc, time::Duration};

/// Well under the second within which a change must be in effect everywhere.
const EVERY: Duration = Duration::from_millis(250);

/// How long the first announcement of a process waits for Redis, where there is one.
const MEETING: Duration = Duration::from_millis(500);

impl Tenants {
    /// Something about the sites was just changed here: forgets what is out of date, and tells
    /// the other processes.
    pub(super) async fn changed(&self) -> Result<()> {
        self.resolver.catch_up().await?;
        let cache = &self.common.cache;
        let meet = || async {
            cache.ready(MEETING).await;
        };
        self.common.met_redis.get_or_init(meet).await;
        cache.announce("changed").await;
        Ok(())
    }

    /// Forgets what others change, until it is dropped.
    pub async fn follow(self: Arc<Self>) {
        let mut heard = self.common.cache.listen();
        let mut watcher: Option<Watcher> = None;
        loop {
            tokio::select! {
                news = heard.next() => match news {
                    Some(_) => self.catch_up().await,
                    None => return,
                },
                () = tokio::time::sleep(EVERY) => {
                    let control = self.common.control.clone();
                    let looked = tokio::task::spawn_blocking(move || {
                        let Some(mut watcher) = watcher else {
                            // What changed before somebody watched is not seen by watching.
                            return Ok((control.watch()?, true));
                        };
                        let moved = watcher.moved()?;
                        Ok::<_, crate::base::Error>((watcher, moved))
                    });
                    match looked.await.unwrap_or_else(|e| Err(e.into())) {
                        Ok((same, moved)) => {
                            watcher = Some(same);
                            if moved {
                                self.catch_up().await;
                            }
                        }
                        Err(error) => {
                            watcher = None;
                            tracing::error!(error = %error.in_full(), "cannot look for changes");
                            self.resolver.forget_all();
                        }
                    }
                }
            }
        }
    }

    async fn catch_up(self: &Arc<Self>) {
        match self.resolver.catch_up().await {
            Ok(changed) => {
                let mut open = self.handles.ids();
                open.retain(|id| changed.as_ref().is_none_or(|changed| changed.contains(id)));
                for id in open {
                    self.close_if_gone(id).await;
                }
            }
            Err(error) => {
                tracing::error!(error = %error.in_full(), "changes could not be read");
                self.resolver.forget_all();
            }
        }
    }

    /// Closes a site that another process removed: its files would stay on the disk.
    async fn close_if_gone(self: &Arc<Self>, id: String) {
        if matches!(self.resolver.record(&id).await, Ok(None)) {
            let tenants = self.clone();
            // Whoever is in gets a moment to finish.
            tokio::spawn(async move { tenants.handles.remove(&id).await });
        }
    }
}
