//! From the operations of a region to a chain: which operand is where, and which register holds what for how long.

mod cheap;
mod formula;
mod kinds;
mod numbers;
mod placed;
mod zeros;

pub(super) use numbers::numbers;
pub(super) use placed::placed;

use crate::float::Float;
use crate::kernels::in_turn::{First, InTurn, Then};
use crate::ops::table::Kind;
use crate::ops::with_slope::Pair;
use crate::program::graph::{Graph, Node};
use crate::program::ids::{IdMap, IdSet};
use crate::program::layout::Layout;
use crate::program::schedule::{Work, is_sum_of_all, is_window};
use crate::program::zeros::has_no_negative_zeros;
use cheap::{first, then};
use smallvec::{SmallVec, smallvec};
use std::collections::HashMap;
use zeros::Zeros;

/// Shorter rows are copied to tiles, of which each has many: a tile costs something for each operation. Columns are worth more short tiles,
/// in each of which they are a number.
const LONG_ROW: usize = 512;
const LONG_ROW_OF_COLUMNS: usize = 256;

/// Products of so many elements are summed without being stored: of few, a sum by itself is quicker.
const MANY: usize = 256;

/// What an item does with a tile.
#[derive(Clone)]
enum Action<T: Float> {
    Op(Kind<T>),
    /// A cheap operation, or two, one on the result of the other.
    InTurn(InTurn),
    /// A function and its slope, or another that comes of the same exponential.
    Both(Pair),
    /// Adds the tile to a sum, or the products of two.
    Sum(usize),
}

/// One operation as it will be done: what it reads, and the values that it makes.
struct Item<T: Float> {
    action: Action<T>,
    args: SmallVec<[From<T>; 3]>,
    value: u32,
    second: Option<u32>,
}

/// What an operation reads.
#[derive(Clone, Copy)]
enum From<T> {
    Value(u32),
    /// The same, but as a tile also where it has one element.
    Tile(u32),
    /// A window whose elements are added to zeros, without that.
    Raw(u32),
    Number(T),
}

impl<T: Float> Item<T> {
    /// A cheap operation that no other follows.
    fn alone(&mut self) {
        let Action::Op(kind) = &self.action else { return };
        if let Some((op, [a, b])) = self.first(kind) {
            (self.action, self.args) = (Action::InTurn(InTurn(op, Then::Keep)), smallvec![a, b, a]);
        }
    }

    /// Its operation as the first of two, or alone, if it is cheap.
    fn first(&self, kind: &Kind<T>) -> Option<(First, [From<T>; 2])> {
        let values: SmallVec<[u32; 3]> = self.reads().collect();
        let (op, args) = first(kind, &values)?;
        let as_read = |from: From<T>| match from {
            From::Value(value) if self.args.iter().any(|arg| matches!(arg, From::Raw(raw) if *raw == value)) => {
                From::Raw(value)
            }
            From::Value(_) | From::Tile(_) | From::Raw(_) | From::Number(_) => from,
        };
        Some((op, args.map(as_read)))
    }

    /// The factors of a product of many elements, if both have as many: nobody need store it where it is summed.
    fn product(&self, graph: &Graph<T>) -> Option<SmallVec<[From<T>; 3]>> {
        let Action::Op(kind) = &self.action else { return None };
        let (First::Mul, args) = self.first(kind)? else { return None };
        let len = graph.numel(self.value);
        let is_tile = |from: &From<T>| matches!(*from, From::Value(value) if graph.numel(value) == len);
        (len >= MANY && args.iter().all(is_tile)).then(|| args.into_iter().collect())
    }

    fn reads(&self) -> impl Iterator<Item = u32> + '_ {
        self.args.iter().filter_map(|from| match *from {
            From::Value(value) | From::Tile(value) | From::Raw(value) => Some(value),
            From::Number(_) => None,
        })
    }
}

/// An operand of an item, as it is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arg {
    Input(usize),
    /// An input with an element for each of the tile, also where it has fewer.
    Spread(usize),
    /// One that is a window, where it lies.
    Window(usize),
    Number(usize),
    Register(usize),
    Result(usize),
}

/// What is done with a tile, of which operands, and where its one or two results go.
type Step<T> = (Action<T>, SmallVec<[Arg; 3]>, Option<Arg>, Option<Arg>);

/// A chain before its operands have their places: what it reads and makes, and which tiles there are.
pub(super) struct Planned<T: Float> {
    pub(super) inputs: Vec<(u32, Layout)>,
    numbers: Vec<T>,
    steps: Vec<Step<T>>,
    results: Vec<u32>,
    sums: Vec<u32>,
    registers: usize,
    /// One of the values, all of which have its shape but the sums.
    value: u32,
    len: usize,
}

impl<T: Float> Planned<T> {
    /// The elements of rows with which tiles end, if inputs are rows of as many, or a number for each of them, and they are long
    /// enough: such inputs need not be copied to tiles.
    fn row(&self) -> Option<usize> {
        let widths = || self.inputs.iter().filter_map(|(_, layout)| layout.width());
        let has_column = self.inputs.iter().any(|(_, layout)| matches!(layout, Layout::Column(_)));
        let least = if has_column { LONG_ROW_OF_COLUMNS } else { LONG_ROW };
        let row = widths().min().filter(|&row| row >= least && row < self.len)?;
        let is_in_place = |width: usize| width.is_multiple_of(row) && u32::try_from(width).is_ok();
        widths().all(is_in_place).then_some(row)
    }

    /// Whether a step reads this operand.
    fn reads(&self, arg: Arg) -> bool {
        self.steps.iter().any(|(_, args, ..)| args.contains(&arg))
    }

    /// From which step on each result is there, or may not be what one by slices reads; and which step reads each input last.
    fn times(&self) -> (Vec<usize>, Vec<usize>) {
        let (mut made, mut read) = (vec![0; self.results.len()], vec![0; self.inputs.len()]);
        for (time, (action, args, out, second)) in self.steps.iter().enumerate() {
            for out in [out, second] {
                if let Some(Arg::Result(k)) = *out {
                    made[k] = time + usize::from(matches!(action, Action::InTurn(_)));
                }
            }
            for arg in args {
                if let Arg::Input(k) = *arg {
                    read[k] = time;
                }
            }
        }
        (made, read)
    }
}

/// The chain of a region.
pub(super) fn plan<T: Float>(graph: &Graph<T>, work: &Work) -> Planned<T> {
    let value = graph.nodes[work.members[0] as usize].results[0];
    let shape = graph.shape(value);
    let mut places = Places {
        inputs: Vec::new(),
        numbers: Vec::new(),
        number: HashMap::new(),
        of: IdMap::default(),
        free: Vec::new(),
        count: 0,
    };
    let mut members: Vec<&Node<T>> = Vec::new();
    let mut summed: IdSet = IdSet::default();
    for &member in &work.members {
        let node = &graph.nodes[member as usize];
        if is_window(graph, member) {
            places.see(node, Layout::of_member(graph, node, node.args[0]).expect("windows of chains are simple"));
            continue;
        }
        members.push(node);
        if is_sum_of_all(graph, member) {
            summed.insert(node.results[0]);
        }
    }
    let (sums, results): (Vec<u32>, Vec<u32>) = work.results.iter().partition(|value| summed.contains(value));
    let mut items = items(graph, &members, &results, &sums, Zeros::of(&places));
    items.iter_mut().for_each(Item::alone);
    // Cheap operations one after the other go through registers, and sums would part them. Those of inputs come before any of these is
    // written over.
    let made: IdSet = items.iter().flat_map(|item| [Some(item.value), item.second]).flatten().collect();
    items.sort_by_key(|item| match item.action {
        Action::Sum(_) if item.reads().any(|value| made.contains(&value)) => 2,
        Action::Sum(_) => 0,
        Action::Op(_) | Action::InTurn(_) | Action::Both(_) => 1,
    });
    let mut last_read: IdMap<usize> = IdMap::default();
    for (time, item) in items.iter().enumerate() {
        last_read.extend(item.reads().map(|a| (a, time)));
    }
    places.of.extend(results.iter().enumerate().map(|(k, &i)| (i, Arg::Result(k))));
    let mut steps = Vec::new();
    for (time, item) in items.into_iter().enumerate() {
        let layout = |a: u32| Layout::of(graph.shape(a), shape).expect("operands of chains are simple");
        let in_pieces = matches!(item.action, Action::InTurn(_));
        let args = item.args.iter().map(|&from| places.arg(from, in_pieces, layout)).collect();
        // The results' registers are taken before the operands' are given back: they must be others.
        let is_sum = matches!(item.action, Action::Sum(_));
        let out = (!is_sum).then(|| places.out(item.value));
        let second = item.second.map(|second| places.out(second));
        let mut done: SmallVec<[u32; 3]> = item.reads().filter(|a| last_read[a] == time).collect();
        done.sort_unstable();
        done.dedup();
        done.into_iter().for_each(|a| places.give_back(a));
        steps.push((item.action, args, out, second));
    }
    let Places { inputs, numbers, count: registers, .. } = places;
    Planned { inputs, numbers, steps, results, sums, registers, value, len: shape.numel() }
}

/// Where values are.
struct Places<T> {
    inputs: Vec<(u32, Layout)>,
    numbers: Vec<T>,
    /// The place of each number, by its bits.
    number: HashMap<u64, usize>,
    of: IdMap<Arg>,
    /// Registers that are free again, and how many there are.
    free: Vec<usize>,
    count: usize,
}

impl<T: Float> Places<T> {
    /// Where an operand is; `in_pieces` if windows may be read where they lie.
    fn arg(&mut self, from: From<T>, in_pieces: bool, layout: impl Fn(u32) -> Layout) -> Arg {
        let (value, as_tile, is_raw) = match from {
            From::Value(value) => (value, false, false),
            From::Tile(value) => (value, true, false),
            From::Raw(value) => (value, false, true),
            From::Number(number) => {
                let list = &mut self.numbers;
                return Arg::Number(*self.number.entry(number.to_f64().to_bits()).or_insert_with(|| {
                    list.push(number);
                    list.len() - 1
                }));
            }
        };
        let arg = *self.of.entry(value).or_insert_with(|| {
            self.inputs.push((value, layout(value)));
            Arg::Input(self.inputs.len() - 1)
        });
        match arg {
            Arg::Input(k) if as_tile && self.inputs[k].1 == Layout::Scalar => Arg::Spread(k),
            Arg::Spread(k) if in_pieces && self.in_pieces(k).is_some_and(|is_sum| is_raw || !is_sum) => Arg::Window(k),
            Arg::Input(_) | Arg::Spread(_) | Arg::Window(_) | Arg::Number(_) | Arg::Register(_) | Arg::Result(_) => arg,
        }
    }

    /// Whether an input is a window that can be read where it lies, and then, whether its elements are added to zeros.
    fn in_pieces(&self, input: usize) -> Option<bool> {
        let Layout::Window(window) = &self.inputs[input].1 else { return None };
        window.is_in_pieces().then(|| window.is_sum())
    }

    /// What a node makes is a window of its operand, or that as a tile: nothing else need have the shape of the chain.
    fn see(&mut self, node: &Node<T>, window: Layout) {
        self.of.insert(node.results[0], Arg::Spread(self.inputs.len()));
        self.inputs.push((node.args[0], window));
    }

    fn out(&mut self, value: u32) -> Arg {
        if let Some(&result) = self.of.get(&value) {
            return result;
        }
        let register = Arg::Register(self.free.pop().unwrap_or_else(|| {
            self.count += 1;
            self.count - 1
        }));
        self.of.insert(value, register);
        register
    }

    fn give_back(&mut self, value: u32) {
        if let Some(Arg::Register(register)) = self.of.get(&value) {
            self.free.push(*register);
        }
    }
}

/// A function of a value and another of the same that come of one exponential: which pair, and both results in its order.
fn pair<T: Float>(kind: &Kind<T>, value: u32, other: &Node<T>) -> Option<(Pair, u32, u32)> {
    let (slope, other) = (other.kind()?, other.results[0]);
    let both = Pair::of_kinds(kind, slope).map(|pair| (pair, value, other));
    both.or_else(|| Pair::of_kinds(slope, kind).map(|pair| (pair, other, value)))
}

/// What the members do, where some do two things at once.
fn items<T: Float>(
    graph: &Graph<T>,
    members: &[&Node<T>],
    results: &[u32],
    sums: &[u32],
    mut zeros: Zeros,
) -> Vec<Item<T>> {
    let by_value: IdMap<&Node<T>> = members.iter().map(|&node| (node.results[0], node)).collect();
    let results: IdSet = results.iter().copied().collect();
    let mut readers: IdMap<usize> = IdMap::default();
    for &a in members.iter().flat_map(|node| &node.args) {
        *readers.entry(a).or_default() += 1;
    }
    // The functions of each value.
    let mut functions: IdMap<SmallVec<[usize; 2]>> = IdMap::default();
    for (k, node) in members.iter().enumerate() {
        if let [of] = node.args[..] {
            functions.entry(of).or_default().push(k);
        }
    }
    let mut items: Vec<Option<Item<T>>> = Vec::new();
    // Which of them made a value by an operation of its own.
    let mut made: IdMap<usize> = IdMap::default();
    let mut done: IdSet = IdSet::default();
    for (k, node) in members.iter().enumerate() {
        let (args, value) = (&node.args[..], node.results[0]);
        let Some(kind) = node.kind().filter(|_| !done.contains(&value)) else { continue };
        let of_same = if Pair::has_kind(kind) { functions.get(&args[0]) } else { None };
        let mut later = of_same.into_iter().flatten().filter(|&&at| at > k).map(|&at| members[at]);
        let found = later
            .find_map(|other| pair(kind, value, other).filter(|(_, a, b)| ![a, b].iter().any(|a| done.contains(a))));
        if let Some((pair, value, slope)) = found {
            let args = smallvec![From::Value(args[0])];
            items.push(Some(Item { action: Action::Both(pair), args, value, second: Some(slope) }));
            done.extend([value, slope]);
            continue;
        }
        // The item that made an operand, if nobody else wants that.
        let inner = |a: u32| made.get(&a).copied().filter(|_| readers[&a] == 1 && !results.contains(&a));
        let fused = then(kind, args).into_iter().find_map(|(then, y, c)| {
            if zeros.adds(then, y, c) {
                let args = smallvec![From::Number(T::ZERO), From::Raw(y), zeros.second(then, y, c)];
                return Some((None, Action::InTurn(InTurn(First::Add, then)), args));
            }
            let at = inner(y)?;
            let (first, [a, b]) = items[at].as_ref()?.first(by_value.get(&y)?.kind()?)?;
            Some((Some(at), Action::InTurn(InTurn(first, then)), smallvec![a, b, zeros.second(then, y, c)]))
        });
        let sum = sums.iter().position(|&sum| sum == value);
        let product = sum.and_then(|_| {
            let at = inner(args[0])?;
            Some((at, items[at].as_ref()?.product(graph)?))
        });
        let (action, args) = if let Some((at, action, args)) = fused {
            if let Some(at) = at {
                items[at] = None;
            }
            (action, args)
        } else if let (Some(sum), Some((at, args))) = (sum, product) {
            items[at] = None;
            (Action::Sum(sum), args)
        } else {
            let action = sum.map_or_else(|| Action::Op(kind.clone()), Action::Sum);
            // Where all operands are numbers, one is a tile, so that the result is one.
            let numbers = args.iter().all(|&a| graph.numel(a) == 1);
            let from = |(k, &a)| if numbers && k == 0 { From::Tile(a) } else { From::Value(a) };
            (action, zeros.operands(kind, args.iter().enumerate().map(from).collect()))
        };
        if has_no_negative_zeros(kind, &node.args, |arg| zeros.positive.contains(&arg)) {
            zeros.positive.insert(value);
        }
        if let Action::Op(_) = action {
            made.insert(value, items.len());
        }
        items.push(Some(Item { action, args, value, second: None }));
    }
    items.into_iter().flatten().collect()
}
