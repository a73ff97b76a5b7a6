//! What every picture holds to, whatever numbers and names it gets.

use crate::*;
use proptest::prelude::*;

const NAMES: [&str; 8] = [
    "setosa",
    "",
    "<script>alert(\"1\")</script>",
    "a & b's \"c\"",
    "\u{202e}\u{0}\u{1b}[31m\n\u{1}x",
    "日本語の名前",
    "}]]>--><!--",
    "a very long name that goes on and on, as names of columns in tables of surveys do, with no end in sight, and then some more of it",
];
const NUMBERS: [f64; 12] =
    [0.0, 1.0, -1.5, 1e-300, 1e300, f64::MAX, f64::MIN, 5e-324, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e9 + 1e-3];

fn name(k: usize) -> String {
    NAMES[k % NAMES.len()].to_owned()
}

/// Well-formed, named, described, in its box, without a number that is none.
fn held(picture: &Picture) {
    for (what, text) in [("figure", picture.figure("a b")), ("file", picture.file())] {
        well_formed(&text).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(text.contains("role=\"img\"") && text.contains("<desc "), "{what}");
        assert!(!text.contains("<script") && !text.contains('\u{1}'), "{what}");
    }
    assert!(!picture.description.is_empty());
    let (width, height) = picture.size();
    assert!(width.is_finite() && height.is_finite() && width < 1e5 && height < 1e5, "{width} {height}");
    inside(picture);
}

/// Texts lie within the picture, by the widths that wide fonts have.
fn inside(picture: &Picture) {
    let (width, height) = picture.size();
    let svg = picture.svg("a");
    for part in svg.split("<text").skip(1) {
        let (tag, rest) = part.split_once('>').unwrap();
        let shown = rest.split_once("</text>").unwrap().0;
        let shown = shown
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
            .replace("&quot;", "\"")
            .replace("&#39;", "'");
        let get = |key: &str| tag.split_once(&format!("{key}=\"")).map(|(_, tail)| tail.split_once('"').unwrap().0);
        let (x, y): (f64, f64) = (get(" x").unwrap().parse().unwrap(), get(" y").unwrap().parse().unwrap());
        let size = match get("class") {
            Some(class) if class.contains("tiny") => 9.0,
            Some(class) if class.contains("small") => 11.0,
            _ => 13.0,
        };
        let long = text::width(&shown) * size;
        if tag.contains("rotate") {
            assert!(y - long / 2.0 >= -1.0 && y + long / 2.0 <= height + 1.0, "{shown} at {y} of {height}");
            continue;
        }
        let left = match get("text-anchor").unwrap() {
            "start" => x,
            "middle" => x - long / 2.0,
            _ => x - long,
        };
        assert!(left >= -1.0 && left + long <= width + 1.0, "{shown}: {left} to {} of {width}", left + long);
        assert!(y >= 8.0 && y <= height, "{shown} at {y} of {height}");
    }
}

/// Numbers of every kind.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![(0..NUMBERS.len()).prop_map(|k| NUMBERS[k]), -10.0..10.0, any::<f64>()]
}

fn any_numbers(most: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(any_number(), 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn curves_of_any_numbers_are_held(x in any_numbers(30), y in any_numbers(30), log in any::<bool>(), k in 0_usize..8, curves in 0_usize..20) {
        let scale = if log { Scale::Log } else { Scale::Linear };
        let points: Vec<_> = x.iter().copied().zip(y.iter().copied()).collect();
        let series = (0..curves).map(|n| Series::new(name(k + n), points.iter().map(|&(x, y)| (x, y / (n + 1) as f64)))).collect();
        let at = x.first().map(|&x| (x, name(k + 2)));
        held(&Lines { title: name(k), x: name(k + 1), y: name(k + 2), x_scale: scale, y_scale: scale, series, at }.picture());
    }

    #[test]
    fn bars_and_points_of_any_numbers_are_held(x in any_numbers(50), y in any_numbers(50), k in 0_usize..8) {
        let bars = x.iter().enumerate().map(|(n, &value)| Bar { name: name(n + k), value, interval: y.get(n).map(|&y| [value, y]) }).collect();
        held(&Bars { title: name(k), what: name(k), unit: name(k + 1), bars }.picture());
        let points = x.iter().copied().zip(y.iter().copied()).collect();
        held(&Points { title: name(k), x: name(k + 1), y: name(k + 2), points, band: y.first().map(|&y| [y, -y]) }.picture());
    }

    #[test]
    fn cards_of_any_numbers_are_held(numbers in any_numbers(40), accounts in 0_usize..6, cards in 0_usize..7, k in 0_usize..8) {
        let numbers: Vec<Vec<f64>> = numbers.chunks(accounts.max(1)).map(<[f64]>::to_vec).collect();
        let card = |n: usize| Card { name: name(n), statement: name(n + 1), numbers: numbers.clone(), verdict: name(n + 2), holds: n.is_multiple_of(2) };
        held(&Cards { title: name(k), accounts: (k..k + accounts).map(name).collect(), cards: (k..k + cards).map(card).collect() }.picture());
    }

    #[test]
    fn matrices_of_any_numbers_are_held(cells in any_numbers(200), wide in 1_usize..90, k in 0_usize..8, log in any::<bool>()) {
        let cells: Vec<Vec<f64>> = cells.chunks_exact(wide.min(cells.len().max(1))).map(<[f64]>::to_vec).collect();
        let tone = if log { Tone::Logarithm } else { Tone::Signed };
        let rows = (0..cells.len()).map(|n| name(n + k)).collect();
        held(&Heat { title: name(k), y: name(k + 1), x: name(k + 2), rows, columns: (0..wide).map(name).collect(), cells, tone }.picture());
    }

    #[test]
    fn regions_of_any_cells_are_held(cells in any_numbers(150), columns in 1_usize..12, k in 0_usize..8, low in any_number(), high in any_number()) {
        let full = cells.len() / columns * columns;
        let points: Vec<_> = cells.iter().enumerate().map(|(n, &x)| (x, -x, n % 5)).collect();
        let regions = |plane, names| Regions {
            title: name(k), x: name(k + 1), y: name(k + 2), x_range: [low, high], y_range: [0.0, 1.0], columns, plane, names, points: points.clone(),
        };
        held(&regions(Plane::Values(cells[..full].to_vec()), vec![name(k)]).picture());
        let classes = cells[..full].iter().enumerate().map(|(n, x)| if *x > 0.0 { n % 30 } else { 0 }).collect();
        held(&regions(Plane::Classes(classes), (0..30).map(name).collect()).picture());
    }
}

#[test]
fn confusion_of_any_number_of_classes_is_held() {
    for classes in [0, 1, 2, 6, 7, 12, 13, 30, 41, 100] {
        let counts = (0..classes)
            .map(|a| (0..classes).map(|b| if a == b { 1000.0 } else { (a * b % 3) as f64 }).collect())
            .collect();
        held(&Matrix { title: name(1), names: (0..classes).map(name).collect(), counts }.picture());
    }
    let counts = vec![vec![f64::NAN, 1e300], vec![0.5, f64::INFINITY]];
    held(&Matrix { title: name(2), names: vec![name(2), name(7)], counts }.picture());
}

#[test]
fn calibration_of_any_bins_is_held() {
    let bin = |p: f64, rows| Frequency {
        from: 0.0,
        to: 1.0,
        probability: p,
        frequency: p / 2.0,
        interval: Some([0.0, p]),
        rows,
    };
    for bins in [vec![], vec![bin(0.5, 0)], vec![bin(0.5, 3), bin(f64::NAN, 3)], vec![bin(0.1, 1_000_000); 30]] {
        held(&Calibration { title: name(2), bins }.picture());
    }
}

#[test]
fn graphs_of_any_names_are_held() {
    for nodes in [0, 1, 3, 40, 400] {
        let node = |n: usize| Node {
            name: name(n),
            kind: [NodeKind::Leaf, NodeKind::Operation, NodeKind::Result][n % 3],
            facts: vec![("shape".into(), "[3, 4]".into()), ("value".into(), name(n + 3)), (name(n), "x".repeat(1000))],
            reads: if n == 0 { vec![7] } else { vec![n - 1, n / 2, n] },
        };
        let graph = Graph { title: name(2), nodes: (0..nodes).map(node).collect() };
        held(&graph.picture());
        // Each quote in DOT that is not escaped opens or closes a string, and no line is broken.
        for line in graph.dot().lines() {
            let plain = line.replace("\\\\", "").replace("\\\"", "");
            assert_eq!(plain.matches('"').count() % 2, 0, "{line}");
            assert!(!line.contains(|c: char| c.is_control()));
        }
    }
}

#[test]
fn a_hundred_thousand_of_anything_stay_small() {
    let x = |n: u32| f64::from(n.wrapping_mul(2_654_435_761)) / 4e9;
    let pairs: Vec<(f64, f64)> = (0..100_000).map(|n| (x(n), x(n + 7))).collect();
    let gaps = pairs.iter().enumerate().map(|(n, &(x, y))| (x, if n % 2 == 0 { f64::NAN } else { y }));
    let lines = Lines { series: vec![Series::new("a", pairs.clone()), Series::new("b", gaps)], ..Lines::new("x", "y") };
    let heat = Heat { cells: vec![vec![1.0; 1000]; 1000], ..Heat::default() };
    let card = Card { numbers: vec![vec![1.5; 3]; 100_000], ..Card::default() };
    let cards = Cards { accounts: vec!["a".repeat(100); 3], cards: vec![card; 2], ..Cards::default() };
    let bars = pairs.iter().map(|&(value, _)| Bar { name: "a".repeat(100), value, interval: None }).collect();
    for (what, picture) in [
        ("lines", lines.picture()),
        ("points", Points { points: pairs, ..Points::default() }.picture()),
        ("heat", heat.picture()),
        ("cards", cards.picture()),
        ("bars", Bars { bars, ..Bars::default() }.picture()),
    ] {
        held(&picture);
        let size = picture.figure("a").len();
        assert!(size < 600_000, "{what}: {size}");
        println!("{what}: {size} bytes");
    }
}

#[test]
fn the_style_sheet_is_safe_in_a_page() {
    well_formed(&format!("<style>{}</style>", style())).unwrap();
}
