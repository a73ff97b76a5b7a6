//! Optimisers and schedules by PyTorch's names.

use autograd::Tensor;
use nn::optim::{
    Adadelta, Adagrad, Adam, Adamax, Clip, Clipped, Cyclic, CyclicMode, Lbfgs, LineSearch, NAdam, OneCycle, Plateau,
    RAdam, RmsProp, Rprop, Rule, Schedule, Sgd,
};
use serde_json::Value;

pub(crate) fn text<'a>(of: &'a Value, name: &str) -> Result<&'a str, String> {
    of[name].as_str().ok_or_else(|| format!("`{name}` is not there"))
}

pub(crate) fn number(of: &Value, name: &str) -> Result<f64, String> {
    of[name].as_f64().ok_or_else(|| format!("`{name}` is not there"))
}

pub(crate) fn array<'a>(of: &'a Value, name: &str) -> Result<&'a Vec<Value>, String> {
    of[name].as_array().ok_or_else(|| format!("`{name}` is not there"))
}

pub(crate) fn tensor(of: &Value) -> Result<Tensor, String> {
    let numbers = |name| array(of, name).map(|list| list.iter().filter_map(Value::as_f64).collect::<Vec<_>>());
    let shape: Vec<usize> = numbers("shape")?.into_iter().map(|size| size as usize).collect();
    let data = numbers("data")?;
    if shape.iter().product::<usize>() != data.len() {
        return Err(format!("expected {} numbers for {shape:?}", data.len()));
    }
    Ok(Tensor::new(shape, data))
}

/// Arguments that are taken one by one, so that an unknown one is left over.
struct Arguments<'a> {
    name: &'a str,
    of: serde_json::Map<String, Value>,
}

impl<'a> Arguments<'a> {
    fn new(of: &'a Value) -> Result<Self, String> {
        let mut map = of.as_object().cloned().ok_or("expected an object with a `name`")?;
        map.remove("name");
        // These choose how PyTorch computes, not what.
        for how in ["foreach", "fused", "capturable", "differentiable", "verbose", "last_epoch"] {
            map.remove(how);
        }
        Ok(Self { name: text(of, "name")?, of: map })
    }

    fn take<V>(&mut self, name: &str, or: V, read: impl Fn(&Value) -> Option<V>) -> Result<V, String> {
        match self.of.remove(name) {
            None | Some(Value::Null) => Ok(or),
            Some(value) => read(&value).ok_or_else(|| format!("`{name}` of {} is {value}", self.name)),
        }
    }

    fn number(&mut self, name: &str, or: f64) -> Result<f64, String> {
        self.take(name, or, Value::as_f64)
    }

    fn flag(&mut self, name: &str, or: bool) -> Result<bool, String> {
        self.take(name, or, Value::as_bool)
    }

    fn count(&mut self, name: &str, or: u32) -> Result<u32, String> {
        self.take(name, or, |value| value.as_u64().and_then(|count| u32::try_from(count).ok()))
    }

    fn word(&mut self, name: &str, or: &str) -> Result<String, String> {
        self.take(name, or.to_owned(), |value| value.as_str().map(str::to_owned))
    }

    fn pair(&mut self, name: &str, or: [f64; 2]) -> Result<[f64; 2], String> {
        self.take(name, or, |value| Some([value.get(0)?.as_f64()?, value.get(1)?.as_f64()?]))
    }

    fn counts(&mut self, name: &str) -> Result<Vec<u32>, String> {
        let count = |value: &Value| value.as_u64().and_then(|count| u32::try_from(count).ok());
        self.take(name, Vec::new(), |value| value.as_array()?.iter().map(count).collect())
    }

    fn end(self) -> Result<(), String> {
        match self.of.keys().next() {
            Some(name) => Err(format!("{} has an argument `{name}` that is not known", self.name)),
            None => Ok(()),
        }
    }
}

/// The rule of a run, with its clipping.
pub(crate) fn rule(run: &Value) -> Result<Box<dyn Rule<f64>>, String> {
    let rule = unclipped(&run["optimizer"])?;
    let clip = &run["clip"];
    Ok(match (clip["norm"].as_f64(), clip["value"].as_f64()) {
        (Some(norm), _) => Box::new(Clipped { clip: Clip::Norm(norm), rule }),
        (None, Some(value)) => Box::new(Clipped { clip: Clip::Value(value), rule }),
        (None, None) => rule,
    })
}

fn unclipped(of: &Value) -> Result<Box<dyn Rule<f64>>, String> {
    let mut a = Arguments::new(of)?;
    let name = a.name;
    let usual = match name {
        "Adadelta" => 1.0,
        "Adagrad" | "RMSprop" | "Rprop" => 0.01,
        "Adamax" | "NAdam" => 0.002,
        _ => 0.001,
    };
    let rate = a.number("lr", usual)?;
    let maximize = a.flag("maximize", false)?;
    let usual = if name == "AdamW" { 0.01 } else { 0.0 };
    let weight_decay = if name == "Rprop" { 0.0 } else { a.number("weight_decay", usual)? };
    let has_betas = ["Adam", "AdamW", "Adamax", "NAdam", "RAdam"].contains(&name);
    let [beta1, beta2] = if has_betas { a.pair("betas", [0.9, 0.999])? } else { [0.0; 2] };
    let rule: Box<dyn Rule<f64>> = match name {
        "SGD" => Box::new(Sgd {
            momentum: a.number("momentum", 0.0)?,
            dampening: a.number("dampening", 0.0)?,
            nesterov: a.flag("nesterov", false)?,
            weight_decay,
            maximize,
            ..Sgd::new(rate)
        }),
        "Adam" | "AdamW" => Box::new(Adam {
            beta1,
            beta2,
            weight_decay,
            maximize,
            epsilon: a.number("eps", 1e-8)?,
            amsgrad: a.flag("amsgrad", false)?,
            decoupled: a.flag("decoupled_weight_decay", name == "AdamW")?,
            ..Adam::new(rate)
        }),
        "Adamax" => Box::new(Adamax {
            beta1,
            beta2,
            weight_decay,
            maximize,
            epsilon: a.number("eps", 1e-8)?,
            ..Adamax::new(rate)
        }),
        "NAdam" => Box::new(NAdam {
            beta1,
            beta2,
            weight_decay,
            maximize,
            epsilon: a.number("eps", 1e-8)?,
            momentum_decay: a.number("momentum_decay", 4e-3)?,
            decoupled: a.flag("decoupled_weight_decay", false)?,
            ..NAdam::new(rate)
        }),
        "RAdam" => Box::new(RAdam {
            beta1,
            beta2,
            weight_decay,
            maximize,
            epsilon: a.number("eps", 1e-8)?,
            decoupled: a.flag("decoupled_weight_decay", false)?,
            ..RAdam::new(rate)
        }),
        "RMSprop" => Box::new(RmsProp {
            alpha: a.number("alpha", 0.99)?,
            epsilon: a.number("eps", 1e-8)?,
            momentum: a.number("momentum", 0.0)?,
            centred: a.flag("centered", false)?,
            weight_decay,
            maximize,
            ..RmsProp::new(rate)
        }),
        "Adagrad" => Box::new(Adagrad {
            rate_decay: a.number("lr_decay", 0.0)?,
            initial_accumulator_value: a.number("initial_accumulator_value", 0.0)?,
            epsilon: a.number("eps", 1e-10)?,
            weight_decay,
            maximize,
            ..Adagrad::new(rate)
        }),
        "Adadelta" => Box::new(Adadelta {
            rho: a.number("rho", 0.9)?,
            epsilon: a.number("eps", 1e-6)?,
            weight_decay,
            maximize,
            ..Adadelta::new(rate)
        }),
        "Rprop" => {
            let [shrink, grow] = a.pair("etas", [0.5, 1.2])?;
            let [least, most] = a.pair("step_sizes", [1e-6, 50.0])?;
            Box::new(Rprop { shrink, grow, least, most, maximize, ..Rprop::new(rate) })
        }
        other => return Err(format!("the optimiser `{other}` is not known")),
    };
    a.end()?;
    Ok(rule)
}

pub(crate) fn lbfgs(of: &Value) -> Result<Lbfgs, String> {
    let mut a = Arguments::new(of)?;
    let optimiser = Lbfgs {
        max_iterations: a.count("max_iter", 20)? as usize,
        max_evaluations: a.take("max_eval", None, |value| Some(Some(value.as_u64()? as usize)))?,
        tolerance_gradient: a.number("tolerance_grad", 1e-7)?,
        tolerance_change: a.number("tolerance_change", 1e-9)?,
        history: a.count("history_size", 100)? as usize,
        line_search: match &a.word("line_search_fn", "none")?[..] {
            "strong_wolfe" => LineSearch::StrongWolfe,
            "none" => LineSearch::Fixed,
            other => return Err(format!("the line search `{other}` is not known")),
        },
        ..Lbfgs::new(a.number("lr", 1.0)?)
    };
    a.end()?;
    Ok(optimiser)
}

pub(crate) fn schedule(of: &Value) -> Result<Schedule, String> {
    let mut a = Arguments::new(of)?;
    let schedule = match a.name {
        "StepLR" => Schedule::Step { every: a.count("step_size", 0)?, factor: a.number("gamma", 0.1)? },
        "MultiStepLR" => Schedule::MultiStep { milestones: a.counts("milestones")?, factor: a.number("gamma", 0.1)? },
        "ExponentialLR" => Schedule::Exponential { factor: a.number("gamma", 0.0)? },
        "CosineAnnealingLR" => Schedule::Cosine { steps: a.count("T_max", 0)?, least: a.number("eta_min", 0.0)? },
        "CosineAnnealingWarmRestarts" => Schedule::CosineRestarts {
            first: a.count("T_0", 0)?,
            growth: a.count("T_mult", 1)?,
            least: a.number("eta_min", 0.0)?,
        },
        "LinearLR" => Schedule::Linear {
            start: a.number("start_factor", 1.0 / 3.0)?,
            end: a.number("end_factor", 1.0)?,
            steps: a.count("total_iters", 5)?,
        },
        "ConstantLR" => {
            Schedule::ConstantFactor { factor: a.number("factor", 1.0 / 3.0)?, steps: a.count("total_iters", 5)? }
        }
        "PolynomialLR" => Schedule::Polynomial { steps: a.count("total_iters", 5)?, power: a.number("power", 1.0)? },
        "OneCycleLR" => {
            let usual = OneCycle::new(a.number("max_lr", 0.0)?, 0);
            let each = [a.count("epochs", 0)?, a.count("steps_per_epoch", 0)?];
            Schedule::OneCycle(OneCycle {
                steps: a.count("total_steps", each[0] * each[1])?,
                rise: a.number("pct_start", usual.rise)?,
                linear: a.word("anneal_strategy", "cos")? == "linear",
                cycle_momentum: a.flag("cycle_momentum", true)?,
                base_momentum: a.number("base_momentum", usual.base_momentum)?,
                max_momentum: a.number("max_momentum", usual.max_momentum)?,
                start_divisor: a.number("div_factor", usual.start_divisor)?,
                end_divisor: a.number("final_div_factor", usual.end_divisor)?,
                three_phase: a.flag("three_phase", false)?,
                ..usual
            })
        }
        "CyclicLR" => cyclic(&mut a)?,
        "ReduceLROnPlateau" => Schedule::Plateau(Plateau {
            maximize: a.word("mode", "min")? == "max",
            factor: a.number("factor", 0.1)?,
            patience: a.count("patience", 10)?,
            threshold: a.number("threshold", 1e-4)?,
            absolute: a.word("threshold_mode", "rel")? == "abs",
            cooldown: a.count("cooldown", 0)?,
            least: a.number("min_lr", 0.0)?,
            epsilon: a.number("eps", 1e-8)?,
        }),
        "SequentialLR" => {
            let milestones = a.counts("milestones")?;
            Schedule::Sequential { schedules: several(&mut a)?, milestones }
        }
        "ChainedScheduler" => Schedule::Chained(several(&mut a)?),
        other => return Err(format!("the schedule `{other}` is not known")),
    };
    a.end()?;
    Ok(schedule)
}

fn cyclic(a: &mut Arguments) -> Result<Schedule, String> {
    let usual = Cyclic::new(a.number("base_lr", 0.0)?, a.number("max_lr", 0.0)?);
    let up = a.count("step_size_up", usual.up)?;
    let factor = a.number("gamma", 1.0)?;
    Ok(Schedule::Cyclic(Cyclic {
        up,
        down: a.count("step_size_down", up)?,
        mode: match &a.word("mode", "triangular")?[..] {
            "triangular" => CyclicMode::Even,
            "triangular2" => CyclicMode::Halved,
            "exp_range" => CyclicMode::Exponential(factor),
            other => return Err(format!("the mode `{other}` is not known")),
        },
        cycle_momentum: a.flag("cycle_momentum", true)?,
        base_momentum: a.number("base_momentum", usual.base_momentum)?,
        max_momentum: a.number("max_momentum", usual.max_momentum)?,
        ..usual
    }))
}

fn several(a: &mut Arguments) -> Result<Vec<Schedule>, String> {
    let list = a.take("schedules", Vec::new(), |value| value.as_array().cloned())?;
    list.iter().map(schedule).collect()
}
