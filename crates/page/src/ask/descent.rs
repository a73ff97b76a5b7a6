//! Gradient descent on the spirals of CS231n.

use super::{Answer, Request, number, numbers};
use autograd::{Key, Tape, Tensor};
use serde_json::{Value, json};
use softmax_net::{Activation, Toy};
use std::cell::RefCell;

/// Points, classes and hidden nodes.
const POINTS: usize = 300;
const CLASSES: usize = 3;
const HIDDEN: usize = 100;
/// The factor of the penalty `ΣW1² + ΣW2²`.
const STRENGTH: f64 = 5e-4;
/// The most steps of one request: a few milliseconds.
const MOST: u64 = 2;
/// The places along a side of the plane at which the net is asked for a class, and the half side.
const GRID: usize = 40;
const REACH: f64 = 1.2;

/// A net on its way, and what it was started with.
struct Way {
    settings: (f64, usize),
    step: u64,
    net: Toy<Tensor>,
    points: Tensor,
    labels: Vec<usize>,
    order: Vec<usize>,
    tape: Tape,
}

thread_local! {
    static WAY: RefCell<Option<Way>> = const { RefCell::new(None) };
}

/// Goes up to `MOST` steps on towards step `to`, with `rate` and `batch`, from the start where the way before was another, or further on.
/// Gives the losses before each of these steps.
pub(super) fn descend(request: &Request) -> Answer {
    let field = |name: &str, otherwise: f64| request.get(name).map_or(Some(otherwise), Value::as_f64);
    let rate = field("rate", 1.0).filter(|rate| (0.0..=10.0).contains(rate)).ok_or("rate must be from 0 to 10")?;
    let batch = field("batch", 300.0).filter(|b| b.fract() == 0.0 && (1.0..=300.0).contains(b));
    let batch = batch.ok_or("batch must be a whole number from 1 to 300")? as usize;
    let to = field("to", 0.0).filter(|to| (0.0..=2000.0).contains(to)).ok_or("to must be from 0 to 2000")? as u64;
    WAY.with_borrow_mut(|way| {
        let way = match way {
            Some(known) if known.settings == (rate, batch) && known.step <= to => known,
            _ => way.insert(Way::new(rate, batch)),
        };
        let from = way.step;
        let mut losses = Vec::new();
        while way.step < to && way.step - from < MOST {
            losses.push(way.go()?);
        }
        Ok(json!({ "from": from, "step": way.step, "losses": numbers(&losses) }))
    })
}

/// What the net on its way says at each place of the plane, row by row from above; its accuracy; and the points with their classes.
pub(super) fn regions(_: &Request) -> Answer {
    WAY.with_borrow(|way| {
        let way = way.as_ref().ok_or("there is no descent yet")?;
        let at = |p: usize| -REACH + 2.0 * REACH * (p as f64 + 0.5) / GRID as f64;
        let places: Vec<f64> = (0..GRID * GRID).flat_map(|p| [at(p % GRID), -at(p / GRID)]).collect();
        let say = |x: &Tensor| way.net.predict(x).map_err(|error| error.to_string());
        let classes = say(&Tensor::new([GRID * GRID, 2], places))?;
        let right = say(&way.points)?.iter().zip(&way.labels).filter(|(said, label)| said == label).count();
        Ok(json!({
            "grid": GRID, "reach": REACH, "classes": classes, "step": way.step,
            "accuracy": number(right as f64 / POINTS as f64),
            "points": numbers(way.points.as_slice()), "labels": way.labels,
        }))
    })
}

impl Way {
    /// The points are `r (sin t, cos t)`, `r` from 0 to 1 along each class `c`, `t = 4 (c + r)` and a deviation of 0.2; first weights have
    /// the deviation 0.01.
    fn new(rate: f64, batch: usize) -> Self {
        let tape = Tape::new();
        let [noise, w1, w2, order] = tape.key(Key::new(231)).split();
        let noise = noise.normal([POINTS]).value();
        let each = POINTS / CLASSES;
        let labels: Vec<usize> = (0..POINTS).map(|p| p / each).collect();
        let point = |p: usize| {
            let r = (p % each) as f64 / (each - 1) as f64;
            let t = tape.scalar(4.0 * (labels[p] as f64 + r) + 0.2 * noise.as_slice()[p]);
            [r * t.sin().item(), r * t.cos().item()]
        };
        let points = Tensor::new([POINTS, 2], (0..POINTS).flat_map(point).collect());
        let keys = order.uniform([POINTS]).value();
        let mut order: Vec<usize> = (0..POINTS).collect();
        order.sort_by(|&a, &b| keys.as_slice()[a].total_cmp(&keys.as_slice()[b]));
        let net = Toy {
            w1: (w1.normal([2, HIDDEN]) * 0.01).value(),
            b1: Tensor::zeros([HIDDEN]),
            w2: (w2.normal([HIDDEN, CLASSES]) * 0.01).value(),
            b2: Tensor::zeros([CLASSES]),
            f: Activation::Relu,
        };
        Self { settings: (rate, batch), step: 0, net, points, labels, order, tape: Tape::new() }
    }

    /// One step; the loss before it.
    fn go(&mut self) -> Result<f64, String> {
        let (rate, batch) = self.settings;
        let first = self.step as usize * batch;
        let rows: Vec<usize> = if batch == POINTS {
            (0..POINTS).collect()
        } else {
            (first..first + batch).map(|p| self.order[p % POINTS]).collect()
        };
        let x =
            Tensor::new([batch, 2], rows.iter().flat_map(|&p| self.points.as_slice()[2 * p..][..2].to_vec()).collect());
        let labels: Vec<usize> = rows.iter().map(|&p| self.labels[p]).collect();
        let found = self.net.loss_and_gradient(&mut self.tape, &x, &labels, STRENGTH);
        let (loss, gradient) = found.map_err(|error| error.to_string())?;
        self.net.descend(&gradient, rate);
        self.step += 1;
        Ok(loss)
    }
}

/// The gradient of the net on its way by one weight of each kind, as the tape has it and by differences.
pub(super) fn checked(_: &Request) -> Answer {
    WAY.with_borrow_mut(|way| {
        let way = way.as_mut().ok_or("there is no descent yet")?;
        let mut tape = Tape::new();
        // A part of the points, so that differences take a moment only.
        let x = Tensor::new([30, 2], way.points.as_slice().chunks(20).flat_map(|p| [p[0], p[1]]).collect());
        let labels: Vec<usize> = way.labels.iter().step_by(10).copied().collect();
        let mut loss = |net: &Toy<Tensor>| {
            net.loss_and_gradient(&mut tape, &x, &labels, STRENGTH).map_err(|error| error.to_string())
        };
        let (_, gradient) = loss(&way.net)?;
        let h = 1e-5;
        let mut rows = Vec::new();
        for (kind, name) in ["W1", "b1", "W2", "b2"].into_iter().enumerate() {
            let mut ends = [0.0; 2];
            for (end, side) in ends.iter_mut().zip([1.0, -1.0]) {
                let mut net = way.net.clone();
                let array = [&mut net.w1, &mut net.b1, &mut net.w2, &mut net.b2].into_iter().nth(kind);
                let array = array.ok_or("four arrays")?;
                array.as_mut_slice()[0] += side * h;
                *end = loss(&net)?.0;
            }
            let tape = gradient.named()[kind].1.as_slice()[0];
            rows.push(json!({ "name": name, "tape": number(tape), "finite": number((ends[0] - ends[1]) / (2.0 * h)) }));
        }
        Ok(json!({ "step": way.step, "rows": rows }))
    })
}
