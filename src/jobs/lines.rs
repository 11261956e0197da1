//! Whose turn it is: sites stand in line for the places there are, and whoever had one goes to
//! the end. Pure; it knows neither what a job is nor what time it is.

use super::Weight;
use crate::base::ids::TenantId;
use std::collections::{HashMap, HashSet, VecDeque};

/// The line of one weight.
#[derive(Debug)]
pub(super) struct Line {
    /// How many turns there are at once.
    places: usize,
    /// How many of these a site has while others wait.
    each: usize,
    order: VecDeque<TenantId>,
    standing: HashSet<TenantId>,
    at_work: HashMap<TenantId, usize>,
    taken: usize,
}

impl Line {
    pub(super) fn new(places: usize, each: usize) -> Self {
        Self {
            places,
            each,
            order: VecDeque::new(),
            standing: HashSet::new(),
            at_work: HashMap::new(),
            taken: 0,
        }
    }

    /// A site may have something to do: it goes to the end of the line, if it is not in it.
    pub(super) fn join(&mut self, tenant: &TenantId) {
        if self.standing.insert(tenant.clone()) {
            self.order.push_back(tenant.clone());
        }
    }

    /// The site whose turn it is, if there is a place for it. It is out of the line then.
    ///
    /// A site that has its share already gets more where nobody else wants it, but never the last
    /// place: whoever comes next shall not wait for its end.
    pub(super) fn call(&mut self) -> Option<TenantId> {
        let free = self.places.checked_sub(self.taken).filter(|free| *free > 0)?;
        let share = |tenant: &TenantId| self.at_work.get(tenant).copied().unwrap_or(0);
        let first = self.order.iter().position(|tenant| share(tenant) < self.each);
        let at = first.or((free > 1).then_some(0))?;
        let tenant = self.order.remove(at)?;
        self.standing.remove(&tenant);
        *self.at_work.entry(tenant.clone()).or_default() += 1;
        self.taken += 1;
        Some(tenant)
    }

    /// A turn is over.
    pub(super) fn leave(&mut self, tenant: &TenantId) {
        self.taken = self.taken.saturating_sub(1);
        if let Some(turns) = self.at_work.get_mut(tenant) {
            *turns -= 1;
            if *turns == 0 {
                self.at_work.remove(tenant);
            }
        }
    }

    /// Whether a site other than this one stands in line.
    pub(super) fn others_wait(&self, tenant: &TenantId) -> bool {
        self.order.len() > usize::from(self.standing.contains(tenant))
    }
}

/// Both lines.
#[derive(Debug)]
pub(super) struct Lines {
    pub light: Line,
    pub heavy: Line,
}

impl Lines {
    pub(super) fn of(&mut self, weight: Weight) -> &mut Line {
        match weight {
            Weight::Light => &mut self.light,
            Weight::Heavy => &mut self.heavy,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(name: &str) -> TenantId {
        TenantId::parse(name).unwrap()
    }

    fn line(places: usize, each: usize, names: &[&str]) -> Line {
        let mut line = Line::new(places, each);
        names.iter().for_each(|name| line.join(&site(name)));
        line
    }

    #[test]
    fn everybody_has_a_turn_before_anybody_has_two() {
        let names = ["a", "b", "c", "d"];
        let mut line = line(1, 1, &names);
        for _ in 0..3 {
            for name in names {
                let tenant = line.call().unwrap();
                assert_eq!(tenant, site(name));
                assert_eq!(line.call(), None, "there is one place");
                line.join(&tenant);
                line.leave(&tenant);
            }
        }
    }

    #[test]
    fn a_site_with_much_to_do_does_not_hold_up_another_one() {
        let mut line = line(4, 2, &[]);
        // Ten thousand jobs: whenever it gets a turn, it wants another one.
        line.join(&site("busy"));
        let mut turns = 0;
        while let Some(tenant) = line.call() {
            line.join(&tenant);
            turns += 1;
        }
        assert_eq!(turns, 3, "one place stays free");
        line.join(&site("lone"));
        assert_eq!(line.call(), Some(site("lone")), "at once");
        assert_eq!(line.call(), None);
        // Both want more: none gets beyond its share before the other one has it.
        line.join(&site("lone"));
        line.leave(&site("busy"));
        assert_eq!(line.call(), Some(site("lone")));
        line.leave(&site("busy"));
        assert_eq!(line.call(), Some(site("busy")));
        assert_eq!(line.call(), None);
    }

    #[test]
    fn where_there_is_one_place_it_goes_round() {
        let mut line = line(1, 1, &["a", "b"]);
        assert_eq!(line.call(), Some(site("a")));
        line.join(&site("a"));
        assert!(line.others_wait(&site("a")));
        assert_eq!(line.call(), None);
        line.leave(&site("a"));
        assert_eq!(line.call(), Some(site("b")));
        line.leave(&site("b"));
        assert!(!line.others_wait(&site("a")));
        assert_eq!(line.call(), Some(site("a")));
        assert!(!line.others_wait(&site("a")));
    }

    #[test]
    fn nobody_stands_in_line_twice() {
        let mut line = line(8, 8, &["a", "a", "a"]);
        assert_eq!((line.call(), line.call()), (Some(site("a")), None));
        line.leave(&site("a"));
        line.leave(&site("a"));
        assert_eq!(line.call(), None);
        line.join(&site("a"));
        assert_eq!(line.call(), Some(site("a")));
    }

    #[test]
    fn without_places_nobody_is_called() {
        assert_eq!(line(0, 1, &["a"]).call(), None);
    }

    proptest::proptest! {
        #[test]
        fn places_and_shares_are_kept(steps in proptest::collection::vec((0u8..3, 0u8..5), 1..400)) {
            let (places, each) = (4, 2);
            let mut line = Line::new(places, each);
            let mut out: Vec<TenantId> = Vec::new();
            for (step, name) in steps {
                let tenant = site(&name.to_string());
                match step {
                    0 => line.join(&tenant),
                    1 => {
                        let wanted: Vec<_> = line.order.iter().cloned().collect();
                        if let Some(called) = line.call() {
                            let share = out.iter().filter(|t| **t == called).count();
                            let of = |t: &TenantId| out.iter().filter(|o| *o == t).count();
                            proptest::prop_assert!(
                                share < each || wanted.iter().all(|t| of(t) >= each)
                            );
                            out.push(called);
                            proptest::prop_assert!(share < each || out.len() < places);
                        }
                    }
                    _ => if let Some(tenant) = out.pop() { line.leave(&tenant) },
                }
                proptest::prop_assert!(out.len() <= places);
                proptest::prop_assert_eq!(line.taken, out.len());
                proptest::prop_assert_eq!(line.order.len(), line.standing.len());
            }
        }
    }
}
