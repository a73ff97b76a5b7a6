//! The operands of chains in their places: which are read where they are, which are copied to registers, and where results go.

use super::kinds::Kinds;
use super::{Action, Arg, Planned};
use crate::float::Float;
use crate::kernels::chain::{self as kernel, Chain, Fill, Micro, Out, Part, Parts, Registers, Seen};
use crate::kernels::machine::{TILE, TILE_BYTES};
use crate::kernels::map::{LANES, QUAD};
use crate::kernels::place::{Place, Spot};
use crate::program::graph::Graph;
use crate::program::ids::IdMap;
use crate::program::layout::Layout;
use crate::program::memory::Places;
use smallvec::SmallVec;
use std::collections::HashMap;

/// What the first registers of a chain hold before it begins, and what that makes of its inputs: as they are, as tiles, and as what
/// cheap operations read.
struct Filled<T> {
    fills: Vec<Fill<T>>,
    rows: Vec<(Place, u32)>,
    windows: Vec<Seen>,
    inputs: Vec<kernel::Arg>,
    tiles: Vec<kernel::Arg>,
    repeated: Vec<kernel::Arg>,
    /// Of windows, where they lie.
    in_pieces: Vec<kernel::Arg>,
}

impl<T: Float> Filled<T> {
    /// For inputs that are in these columns and results in those, of so many rows in blocks; `by_row` where tiles end with rows.
    fn new(
        planned: &Planned<T>,
        graph: &Graph<T>,
        columns: Vec<Column>,
        results: &[Column],
        (rows, by_row): (usize, bool),
    ) -> Self {
        let mut fills: Vec<Fill<T>> = planned.numbers.iter().map(|&number| Fill::Constant(number)).collect();
        let (mut rows_in_place, mut inputs): (Vec<(Place, u32)>, Vec<kernel::Arg>) = Default::default();
        let (mut windows, mut in_pieces) = (Vec::new(), vec![kernel::Arg::Nothing; columns.len()]);
        let laid = |layout: &Layout, value: u32, from: Place| {
            let by_rows = || layout.by_rows(graph.shape(value), graph.shape(planned.value), rows);
            layout.fill(from, graph.numel(value), rows > 1 && by_rows() == Some(true))
        };
        let written: HashMap<Place, usize> = results.iter().map(|result| result.first).zip(0..).collect();
        let (made, read) = planned.times();
        for (k, ((value, layout), Column { first: from, parts })) in planned.inputs.iter().zip(columns).enumerate() {
            let fill = match (layout, parts) {
                (_, Some(parts)) => Fill::Parts(parts),
                (Layout::Window(_), None) => {
                    let fill = laid(layout, *value, from);
                    if planned.reads(Arg::Window(k))
                        && let Fill::Window(seen) = &fill
                    {
                        in_pieces[k] = kernel::Arg::Window(windows.len() as u32);
                        windows.push(seen.clone());
                    }
                    if !planned.reads(Arg::Spread(k)) {
                        inputs.push(kernel::Arg::Nothing);
                        continue;
                    }
                    fill
                }
                _ if written.get(&from).is_some_and(|&result| read[k] >= made[result]) => Fill::Before(from),
                (Layout::Full | Layout::From(_), None) => {
                    inputs.push(kernel::Arg::Full(from));
                    continue;
                }
                (Layout::Scalar, None) => {
                    inputs.push(kernel::Arg::Number(from));
                    continue;
                }
                (Layout::Row(n), None) if by_row => {
                    inputs.push(kernel::Arg::Row(rows_in_place.len() as u32));
                    rows_in_place.push((from, *n as u32));
                    continue;
                }
                (Layout::Column(width), None) if by_row => {
                    inputs.push(kernel::Arg::Repeated(fills.len() as u32));
                    fills.push(Fill::OfColumn(from, *width));
                    continue;
                }
                (Layout::Row(_) | Layout::Column(_) | Layout::Spread(_), None) => laid(layout, *value, from),
            };
            inputs.push(kernel::Arg::Register(fills.len() as u32));
            fills.push(fill);
        }
        let (tiles, repeated) = (inputs.clone(), inputs.clone());
        let mut filled = Self { fills, rows: rows_in_place, windows, inputs, tiles, repeated, in_pieces };
        filled.as_steps_read(planned);
        filled
    }

    /// Numbers that are read as tiles, or by cheap operations, which read vectors.
    fn as_steps_read(&mut self, planned: &Planned<T>) {
        let Self { fills, tiles, repeated, .. } = self;
        for (action, args, ..) in &planned.steps {
            for arg in args {
                match *arg {
                    Arg::Input(k) if matches!(action, Action::InTurn(_)) => {
                        if let kernel::Arg::Number(from) = repeated[k] {
                            repeated[k] = kernel::Arg::Repeated(fills.len() as u32);
                            fills.push(Fill::Repeated(from));
                        }
                    }
                    Arg::Spread(k) => {
                        let fill = if let kernel::Arg::Number(from) = tiles[k] {
                            Fill::Number(from)
                        } else if let kernel::Arg::Repeated(r) = tiles[k]
                            && let Fill::OfColumn(from, width) = fills[r as usize]
                        {
                            Fill::Column(from, width)
                        } else {
                            continue;
                        };
                        tiles[k] = kernel::Arg::Register(fills.len() as u32);
                        fills.push(fill);
                    }
                    Arg::Input(_) | Arg::Window(_) | Arg::Number(_) | Arg::Register(_) | Arg::Result(_) => {}
                }
            }
        }
    }
}

/// So many elements that do not fill vectors are copied to where they do: the ends would cost more than all else.
const STAGED: usize = 16 * LANES;

/// What one operand is of each of several chains, or of one: where the first of them is, and all where they are copied, since they
/// do not lie one behind the other, or do not fill vectors.
struct Column {
    first: Place,
    parts: Option<Parts>,
}

/// Where the operands of chains that are alike are.
struct Columns<'a, T: Float, F> {
    alike: &'a [Planned<T>],
    places: &'a Places,
    at: F,
    /// From which multiples of elements each of several starts; the elements of all; and whether every operand is copied.
    unit: usize,
    len: usize,
    staged: bool,
    /// What results are written over, by buffers.
    written: IdMap<SmallVec<[(Spot, usize); 1]>>,
}

impl<'a, T: Float, F: FnMut(u32, u32) -> Place> Columns<'a, T, F> {
    fn new(alike: &'a [Planned<T>], places: &'a Places, at: F, rows: usize) -> Self {
        let (len, several) = (alike[0].len, alike.len() > 1);
        let staged = !several && rows == 1 && len < STAGED && len % LANES > 1;
        let mut columns = Self { alike, places, at, unit: QUAD, len, staged, written: IdMap::default() };
        if several {
            let ranges = || {
                let inputs = (0..alike[0].inputs.len()).filter_map(|k| columns.range(&|planned| planned.inputs[k].0));
                inputs.chain((0..alike[0].results.len()).filter_map(|k| columns.range(&|planned| planned.results[k])))
            };
            // Parts that are all copied start with vectors, which is quicker.
            let (unit, fills) = (if ranges().next().is_some() { QUAD } else { LANES }, ranges().all(|range| range.1));
            columns.unit = unit;
            columns.len =
                columns.starts().last().map_or(0, |(start, planned)| start + planned.len.next_multiple_of(unit));
            columns.len = if fills { columns.len.next_multiple_of(LANES) } else { columns.len };
        }
        columns
    }

    /// The chains, and where the elements of each start.
    fn starts(&self) -> impl Iterator<Item = (usize, &'a Planned<T>)> + Clone + use<'a, T, F> {
        let (alike, unit) = (self.alike, self.unit);
        alike.iter().scan(0, move |end, planned| {
            let start = *end;
            *end += planned.len.next_multiple_of(unit);
            Some((start, planned))
        })
    }

    /// Where the values lie one behind the other, if they do, and whether there is room behind them.
    fn range(&self, of: &impl Fn(&Planned<T>) -> u32) -> Option<(Spot, bool)> {
        let values = self.alike.iter().map(|planned| (of(planned), planned.len));
        if self.staged { None } else { self.places.range(values) }
    }

    /// Of values from an element on.
    fn column(&mut self, of: impl Fn(&Planned<T>) -> u32, from: u32, is_copied: bool) -> Column {
        let first = (self.at)(of(&self.alike[0]), from);
        let starts = self.starts();
        let mut part = |(start, planned): (usize, &Planned<T>)| Part {
            place: (self.at)(of(planned), from),
            start,
            len: planned.len,
        };
        Column { first, parts: is_copied.then(|| starts.map(&mut part).collect()) }
    }

    fn note_written(&mut self, spot: Spot, len: usize) {
        self.written.entry(spot.buffer).or_default().push((spot, len));
    }

    fn result(&mut self, k: usize) -> Column {
        let of = |planned: &Planned<T>| planned.results[k];
        let range = self.range(&of).map(|range| range.0);
        match range {
            Some(spot) => self.note_written(spot, self.len),
            None => self.alike.iter().for_each(|planned| self.note_written(self.places.spot(of(planned)), planned.len)),
        }
        self.column(of, 0, range.is_none())
    }

    /// An input, which is read where it is unless a result is written over some of it that is not its own place.
    fn input(&mut self, k: usize) -> Column {
        let of = |planned: &Planned<T>| planned.inputs[k].0;
        let (full, from) = match self.alike[0].inputs[k].1 {
            Layout::Full => (true, 0),
            Layout::From(from) => (true, from),
            Layout::Scalar | Layout::Row(_) | Layout::Column(_) | Layout::Spread(_) | Layout::Window(_) => (false, 0),
        };
        let own = |spot: Spot| {
            let written = self.written.get(&spot.buffer).into_iter().flatten();
            let mut meets = written.filter(|&&(other, len)| spot.meets(self.len, other, len));
            meets.all(|&other| other == (spot, self.len))
        };
        let is_copied =
            full && !self.range(&of).is_some_and(|(spot, _)| own(Spot { start: spot.start + from, ..spot }));
        self.column(of, from, is_copied)
    }
}

/// The chain with its operands where they are, of which so many rows go through in blocks; of several chains that are alike, one
/// over the elements of all. That of a block of rows has another length for the last one.
pub(in crate::program::lower) fn placed<T: Float>(
    alike: &[Planned<T>],
    graph: &Graph<T>,
    places: &Places,
    at: impl FnMut(u32, u32) -> Place,
    (registers, rows): (Place, usize),
) -> Chain<T> {
    let planned = &alike[0];
    let mut columns = Columns::new(alike, places, at, rows);
    let (len, starts) = (columns.len, columns.starts());
    let one_tile = alike.len() > 1 || columns.staged;
    let results: Vec<Column> = (0..planned.results.len()).map(|k| columns.result(k)).collect();
    let operands: Vec<Column> = (0..planned.inputs.len()).map(|k| columns.input(k)).collect();
    let sums = alike.iter().flat_map(|planned| &planned.sums).map(|&value| (columns.at)(value, 0)).collect();
    let row = if one_tile { None } else { planned.row() };
    let Filled { fills, rows: rows_in_place, windows, inputs, tiles, repeated, in_pieces } =
        Filled::new(planned, graph, operands, &results, (rows, row.is_some()));
    let own = fills.len();
    let kept = own + planned.registers;
    let result = |k: usize| match results[k].parts {
        Some(_) => Out::Register((kept + k) as u32),
        None => Out::Full(results[k].first),
    };
    let arg = |arg: Arg, inputs: &[kernel::Arg]| match arg {
        Arg::Input(k) => inputs[k],
        Arg::Spread(k) => tiles[k],
        Arg::Window(k) => in_pieces[k],
        Arg::Number(k) => kernel::Arg::Repeated(k as u32),
        Arg::Register(r) => kernel::Arg::Register((own + r) as u32),
        Arg::Result(k) => match result(k) {
            Out::Full(place) => kernel::Arg::Full(place),
            Out::Register(r) => kernel::Arg::Register(r),
            Out::Nowhere => kernel::Arg::Nothing,
        },
    };
    let out = |place: Option<Arg>| match place {
        Some(Arg::Result(k)) => result(k),
        Some(Arg::Register(r)) => Out::Register((own + r) as u32),
        Some(Arg::Input(_) | Arg::Spread(_) | Arg::Window(_) | Arg::Number(_)) | None => Out::Nowhere,
    };
    let (mut micro, mut kinds) = (Vec::new(), Kinds::default());
    for (action, args, to, second) in &planned.steps {
        let at = |k: usize| args.get(k).map_or(kernel::Arg::Nothing, |&from| arg(from, &inputs));
        let op = match action {
            Action::InTurn(both) => {
                let args = [0, 1, 2].map(|k| arg(args[k], &repeated));
                micro.push(Micro::in_turn(*both, args, out(*to)));
                continue;
            }
            Action::Sum(sum) => {
                micro.extend(starts.clone().enumerate().map(|(k, (start, Planned { sums, len, .. }))| {
                    let part = (alike.len() > 1).then_some(start as u32..(start + len) as u32);
                    Micro::Sum { sum: (k * sums.len() + sum) as u32, of: [at(0), at(1)], part }
                }));
                continue;
            }
            Action::Op(_) | Action::Both(_) => kinds.number(action),
        };
        micro.push(Micro::Op { op, args: [at(0), at(1), at(2)], out: out(*to), second: out(*second) });
    }
    let count = planned.registers + planned.inputs.len() + planned.results.len() + planned.numbers.len();
    let tile = if one_tile { len } else { tile::<T>(count, row) };
    let count = if one_tile { kept + results.len() } else { kept };
    let parts = (kept..).zip(results).filter_map(|(register, column)| Some((register, column.parts?))).collect();
    Chain {
        fills,
        kinds: kinds.list,
        formulas: kinds.formulas,
        rows: rows_in_place,
        windows,
        micro,
        codes: Vec::new(),
        parts,
        sums,
        len,
        tile,
        row,
        registers: Registers { place: registers, count },
    }
}

/// The elements of a tile, for so many tiles at a time; parts of a row are as long as each other.
fn tile<T>(count: usize, row: Option<usize>) -> usize {
    let most = TILE_BYTES / size_of::<T>() / count.max(1);
    // The largest power of two within bounds.
    let tile: usize = (1 << most.max(1).ilog2()).clamp(TILE[0], TILE[1]);
    row.map_or(tile, |row| row.div_ceil(row.div_ceil(tile)).next_multiple_of(LANES).min(row))
}
