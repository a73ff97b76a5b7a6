//! What a schedule must be.

use super::{Cyclic, OneCycle, Plateau, Schedule};

/// A setting of a schedule, by the name of the schedule and of the field.
struct Field(&'static str, &'static str);

impl Field {
    fn count(self, n: u32) -> Option<String> {
        let Self(name, field) = self;
        (n == 0).then(|| format!("{name} needs {field} of 1 or more, not 0"))
    }

    /// A finite number that is not below another one.
    fn number(self, x: f64, low: f64) -> Option<String> {
        let Self(name, field) = self;
        (!x.is_finite() || x < low).then(|| format!("{name} needs a finite {field} of {low} or more, not {x}"))
    }

    fn above_0(self, x: f64) -> Option<String> {
        let Self(name, field) = self;
        (!x.is_finite() || x <= 0.0).then(|| format!("{name} needs a finite {field} above 0, not {x}"))
    }
}

fn factor(name: &'static str, x: f64) -> Option<String> {
    Field(name, "factor").number(x, 0.0)
}

/// What moves a momentum needs one.
fn moved(name: &str, moves: bool, has_momentum: bool) -> Option<String> {
    (moves && !has_momentum).then(|| format!("{name} moves a momentum, and there is none (`cycle_momentum: false`)"))
}

impl Schedule {
    /// What is wrong with it, where something is.
    pub(crate) fn wrong(&self, momentum: bool, inside: bool) -> Option<String> {
        match self {
            Self::Constant | Self::Lambda(_) | Self::Multiplicative(_) => None,
            Self::Step { every, factor: by } => Field("Step", "every").count(*every).or_else(|| factor("Step", *by)),
            Self::MultiStep { factor: by, .. } => factor("MultiStep", *by),
            Self::Exponential { factor: by } => factor("Exponential", *by),
            Self::Cosine { steps, least } => {
                Field("Cosine", "steps").count(*steps).or_else(|| Field("Cosine", "least").number(*least, 0.0))
            }
            Self::CosineRestarts { first, growth, least } => Field("CosineRestarts", "first")
                .count(*first)
                .or_else(|| Field("CosineRestarts", "growth").count(*growth))
                .or_else(|| Field("CosineRestarts", "least").number(*least, 0.0)),
            Self::Linear { start, end, steps } => Field("Linear", "steps")
                .count(*steps)
                .or_else(|| Field("Linear", "start").above_0(*start))
                .or_else(|| Field("Linear", "end").number(*end, 0.0)),
            Self::ConstantFactor { factor, .. } => Field("ConstantFactor", "factor").above_0(*factor),
            Self::Polynomial { steps, power } => {
                Field("Polynomial", "steps").count(*steps).or_else(|| Field("Polynomial", "power").number(*power, 0.0))
            }
            Self::OneCycle(cycle) => cycle.wrong(momentum),
            Self::Cyclic(cycle) => cycle.wrong(momentum),
            Self::Plateau(plateau) if inside => {
                Some(format!("Plateau is fed by a metric, and stands in no other schedule ({plateau:?})"))
            }
            Self::Plateau(plateau) => plateau.wrong(),
            Self::Sequential { schedules, milestones } => sequence(schedules, milestones)
                .or_else(|| schedules.iter().find_map(|schedule| schedule.wrong(momentum, true))),
            Self::Chained(schedules) => (schedules.is_empty().then(|| "Chained needs a schedule".to_owned()))
                .or_else(|| schedules.iter().find_map(|schedule| schedule.wrong(momentum, true))),
        }
    }
}

fn sequence(schedules: &[Schedule], milestones: &[u32]) -> Option<String> {
    let (n, m) = (schedules.len(), milestones.len());
    if n != m + 1 {
        return Some(format!("Sequential needs one milestone less than schedules, not {m} for {n}"));
    }
    (!milestones.is_sorted()).then(|| format!("Sequential needs rising milestones, not {milestones:?}"))
}

impl OneCycle {
    fn wrong(&self, momentum: bool) -> Option<String> {
        let field = |field| Field("OneCycle", field);
        let rise = self.rise;
        (field("steps").count(self.steps))
            .or_else(|| field("most").number(self.most, 0.0))
            .or_else(|| field("rise").number(rise, 0.0))
            .or_else(|| (rise > 1.0).then(|| format!("OneCycle needs a rise of 1 at most, not {rise}")))
            .or_else(|| field("start_divisor").above_0(self.start_divisor))
            .or_else(|| field("end_divisor").above_0(self.end_divisor))
            .or_else(|| moved("OneCycle", self.cycle_momentum, momentum))
    }
}

impl Cyclic {
    fn wrong(&self, momentum: bool) -> Option<String> {
        let field = |field| Field("Cyclic", field);
        (field("up").count(self.up))
            .or_else(|| field("down").count(self.down))
            .or_else(|| field("least").number(self.least, 0.0))
            .or_else(|| field("most").number(self.most, 0.0))
            .or_else(|| moved("Cyclic", self.cycle_momentum, momentum))
    }
}

impl Plateau {
    fn wrong(&self) -> Option<String> {
        let by = self.factor;
        (by >= 1.0).then(|| format!("Plateau needs a factor below 1, not {by}")).or_else(|| factor("Plateau", by))
    }
}
