//! Losses.

use crate::case::{Call, Case, Given};
use autograd::{CrossEntropyOptions, GaussianNll, KlTarget, PoissonNll, Reduction, TripletMargin, Var};
use nn::losses::{cross_entropy_of_probabilities, smooth_l1};

pub(crate) fn compare(case: &Case) -> Option<Result<(), String>> {
    const KNOWN: [&str; 17] = [
        "CrossEntropyLoss",
        "NLLLoss",
        "MSELoss",
        "L1Loss",
        "SmoothL1Loss",
        "HuberLoss",
        "BCELoss",
        "BCEWithLogitsLoss",
        "KLDivLoss",
        "GaussianNLLLoss",
        "PoissonNLLLoss",
        "CosineEmbeddingLoss",
        "TripletMarginLoss",
        "HingeEmbeddingLoss",
        "SoftMarginLoss",
        "MarginRankingLoss",
        "MultiMarginLoss",
    ];
    KNOWN.contains(&&case.layer[..]).then(|| case.of_function(|call| Ok(vec![loss(case, call)?])))
}

fn reduction(case: &Case) -> Result<Reduction, String> {
    match case.word("reduction", "mean") {
        "mean" => Ok(Reduction::Mean),
        "sum" => Ok(Reduction::Sum),
        "none" => Ok(Reduction::None),
        "batchmean" => Ok(Reduction::BatchMean),
        other => Err(format!("the reduction {other} is not known")),
    }
}

fn loss<'t>(case: &Case, call: &Call<'t>) -> Result<Var<'t>, String> {
    let reduction = reduction(case)?;
    let (x, y) = (call.numbers(0)?, call.numbers(1));
    let list = |name: &str| case.list(name).map(|list| call.tape.var(&list));
    let options = CrossEntropyOptions {
        reduction,
        class_weights: case.list("weight"),
        label_smoothing: case.number("label_smoothing", 0.0),
        ignore_index: case.args["ignore_index"].as_i64().or(Some(-100)),
    };
    Ok(match &case.layer[..] {
        "CrossEntropyLoss" => match call.named("target") {
            Some(Given::Integers(labels)) => x.cross_entropy_opts(labels, &options),
            _ => cross_entropy_of_probabilities(x, y?, &options),
        },
        "NLLLoss" => x.nll(&call.integers(1)?, &options),
        "MSELoss" => x.mse(y?, reduction),
        "L1Loss" => x.l1(y?, reduction),
        "SmoothL1Loss" => smooth_l1(x, y?, case.number("beta", 1.0), reduction),
        "HuberLoss" => x.huber(y?, case.number("delta", 1.0), reduction),
        "BCELoss" => x.bce(y?, list("weight"), reduction),
        "BCEWithLogitsLoss" => match list("weight") {
            None => x.bce_with_logits(y?, list("pos_weight"), reduction),
            Some(weight) => {
                let losses = x.bce_with_logits(y?, list("pos_weight"), Reduction::None) * weight;
                match reduction {
                    Reduction::None => losses,
                    Reduction::Sum => losses.sum(),
                    Reduction::Mean | Reduction::BatchMean => losses.mean(),
                }
            }
        },
        "KLDivLoss" => {
            let given = if case.flag("log_target", false) { KlTarget::Logarithms } else { KlTarget::Probabilities };
            x.kl_div(y?, given, reduction)
        }
        "GaussianNLLLoss" => {
            let options = GaussianNll { full: case.flag("full", false), eps: case.number("eps", 1e-6), reduction };
            x.gaussian_nll(y?, call.numbers(2)?, &options)
        }
        "PoissonNLLLoss" => {
            let (log_input, full) = (case.flag("log_input", true), case.flag("full", false));
            x.poisson_nll(y?, &PoissonNll { log_input, full, eps: case.number("eps", 1e-8), reduction })
        }
        "CosineEmbeddingLoss" => x.cosine_embedding(y?, call.numbers(2)?, case.number("margin", 0.0), reduction),
        "TripletMarginLoss" => {
            let options = TripletMargin {
                margin: case.number("margin", 1.0),
                p: case.number("p", 2.0),
                eps: case.number("eps", 1e-6),
                swap: case.flag("swap", false),
                reduction,
            };
            x.triplet_margin(y?, call.numbers(2)?, &options)
        }
        "HingeEmbeddingLoss" => x.hinge_embedding(y?, case.number("margin", 1.0), reduction),
        "SoftMarginLoss" => x.soft_margin(y?, reduction),
        "MarginRankingLoss" => x.margin_ranking(y?, call.numbers(2)?, case.number("margin", 0.0), reduction),
        "MultiMarginLoss" => {
            let (p, margin) = (case.number("p", 1.0), case.number("margin", 1.0));
            x.multi_margin(&call.integers(1)?, p as u32, margin, case.list("weight").as_ref(), reduction)
        }
        other => return Err(format!("the loss {other} is not known")),
    })
}
