//! What to try next.

use super::{Settings, Tried};
use crate::error::shown;
use crate::train::Better;
use serde_json::{Value, json};

/// Settings to be tried, and how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The settings.
    pub settings: Settings,
    /// What each run may use, such as a number of epochs.
    pub budget: u32,
}

/// Who decides what is tried: it is asked for some settings, told how they did, and asked again, until it has none. All that it asks
/// for at once is run at once, on all threads, so that the result does not depend on which run was faster.
///
/// A search of one's own, here a walk to the better neighbour:
///
/// ```
/// use nn::sweep::{Ask, Search, Settings, Sweep, Tried};
/// use nn::train::Better;
/// use serde_json::json;
///
/// struct Walk { at: f64, step: f64 }
///
/// impl Search for Walk {
///     fn ask(&mut self) -> Vec<Ask> {
///         let near = if self.step < 1e-3 { vec![] } else { vec![self.at - self.step, self.at, self.at + self.step] };
///         near.iter().map(|&x| Ask { settings: Settings::from([("x", json!(x))]), budget: 1 }).collect()
///     }
///
///     fn tell(&mut self, tried: &[Tried], _: Better) {
///         let score = |tried: &Tried| tried.score.unwrap_or(f64::INFINITY);
///         let best = tried.iter().min_by(|a, b| score(a).total_cmp(&score(b))).expect("three were tried");
///         let x = best.settings.number("x");
///         if x == self.at { self.step /= 2.0 } else { self.at = x }
///     }
/// }
///
/// # fn main() -> Result<(), nn::Error> {
/// let outcome = Sweep::default().run(Walk { at: 0.0, step: 1.0 }, |run| Ok((run.settings.number("x") - 2.7).powi(2)))?;
/// assert!((outcome.best().unwrap().settings.number("x") - 2.7).abs() < 1e-3);
/// # Ok(())
/// # }
/// ```
pub trait Search {
    /// What is to be tried next; nothing at the end.
    fn ask(&mut self) -> Vec<Ask>;

    /// What came of it, in the order in which it was asked for.
    fn tell(&mut self, tried: &[Tried], better: Better);

    /// What decides its questions, as a JSON value: a journal of a search that was about something else is refused.
    fn about(&self) -> Value {
        Value::Null
    }
}

impl<S: Search + ?Sized> Search for &mut S {
    #[track_caller]
    fn ask(&mut self) -> Vec<Ask> {
        (**self).ask()
    }

    fn tell(&mut self, tried: &[Tried], better: Better) {
        (**self).tell(tried, better);
    }

    fn about(&self) -> Value {
        (**self).about()
    }
}

/// Settings that are all tried, with the same budget: a grid, or some at random; see [`Space`](super::Space).
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// What is still to be asked for.
    pub settings: Vec<Settings>,
    /// The budget of each run. A run may do without: where it says itself how long it takes, this is 1.
    pub budget: u32,
}

impl List {
    /// Of these settings, with a budget of 1.
    pub fn new(settings: Vec<Settings>) -> Self {
        Self { settings, budget: 1 }
    }
}

impl Search for List {
    fn ask(&mut self) -> Vec<Ask> {
        let budget = self.budget;
        std::mem::take(&mut self.settings).into_iter().map(|settings| Ask { settings, budget }).collect()
    }

    fn tell(&mut self, _: &[Tried], _: Better) {}

    fn about(&self) -> Value {
        json!({ "settings": self.settings, "budget": self.budget })
    }
}

/// Successive halving (Jamieson and Talwalkar, "Non-stochastic best arm identification and hyperparameter optimization", 2016): all
/// settings are tried with a small budget, the best share of them with a larger one, and so on, so that most of the time goes to
/// settings that are worth it. Each rung runs anew, from the start.
///
/// ```
/// use nn::sweep::{Halving, Space, Sweep};
/// # fn main() -> Result<(), nn::Error> {
/// let space = Space::new().uniform("x", 0.0, 1.0);
/// let halving = Halving::new(space.sample(27, 0)?, 1, 9); // 27 with 1, 9 with 3, 3 with 9
/// let outcome = Sweep::default().run(halving, |run| {
///     Ok((run.settings.number("x") - 0.3).abs() + 1.0 / f64::from(run.budget))
/// })?;
/// assert_eq!(outcome.tried.iter().map(|tried| tried.budget).max(), Some(9));
/// assert_eq!(outcome.tried.len(), 27 + 9 + 3);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Halving {
    /// The settings that are still in it.
    pub settings: Vec<Settings>,
    /// The budget of the next rung.
    pub budget: u32,
    /// The budget of the last rung. Settings that are left alone go there at once.
    pub most: u32,
    /// The best of so many settings goes on, with so many times the budget.
    pub factor: u32,
}

impl Halving {
    /// From a budget to another, by a factor of 3. A sweep panics where the factor is below 2, or the budgets are 0 or do not grow.
    pub fn new(list: List, least: u32, most: u32) -> Self {
        Self { settings: list.settings, budget: least, most, factor: 3 }
    }

    #[track_caller]
    fn check(&self) {
        let Self { budget, most, factor, .. } = self;
        assert!(*factor >= 2, "Halving: a factor of 2 or more is needed, not {factor}");
        assert!(
            *budget >= 1 && budget <= most,
            "Halving: budgets of 1 or more that grow are needed, not {budget} to {most}"
        );
    }
}

impl Search for Halving {
    #[track_caller]
    fn ask(&mut self) -> Vec<Ask> {
        self.check();
        self.settings.iter().map(|settings| Ask { settings: settings.clone(), budget: self.budget }).collect()
    }

    fn tell(&mut self, tried: &[Tried], better: Better) {
        if self.budget >= self.most {
            self.settings.clear();
            return;
        }
        let mut ranked: Vec<&Tried> = tried.iter().filter(|tried| tried.score.is_some()).collect();
        super::outcome::rank(&mut ranked, better);
        ranked.truncate(tried.len().div_ceil(self.factor as usize));
        self.settings = ranked.iter().map(|tried| tried.settings.clone()).collect();
        self.budget = if self.settings.len() == 1 { self.most } else { self.budget.saturating_mul(self.factor) };
        self.budget = self.budget.min(self.most);
    }

    fn about(&self) -> Value {
        json!({ "settings": self.settings, "budget": self.budget, "most": self.most, "factor": self.factor })
    }
}

/// Where two values differ, each with its path and what the two have there; of long lists the first few.
pub(super) fn differences(path: &str, old: &Value, new: &Value, found: &mut Vec<[String; 3]>) {
    const MOST: usize = 5;
    let text =
        |value: Option<&Value>| value.map_or("absent".to_owned(), |value| format!("`{}`", shown(&value.to_string())));
    if old == new || found.len() >= MOST {
        return;
    }
    let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names {
                match (old.get(name), new.get(name)) {
                    (Some(old), Some(new)) => differences(&below(name), old, new, found),
                    (old, new) if found.len() < MOST => found.push([below(name), text(old), text(new)]),
                    _ => (),
                }
            }
        }
        (Value::Array(olds), Value::Array(news))
            if olds.len() == news.len() && news.iter().any(|new| new.is_object() || new.is_array()) =>
        {
            for (place, (old, new)) in olds.iter().zip(news).enumerate() {
                differences(&format!("{path}[{place}]"), old, new, found);
            }
        }
        (Value::Array(olds), Value::Array(news)) if olds.len() != news.len() && news.iter().any(Value::is_object) => {
            found.push([path.to_owned(), format!("{} of them", olds.len()), format!("{} of them", news.len())]);
        }
        (old, new) => found.push([path.to_owned(), text(Some(old)), text(Some(new))]),
    }
}
