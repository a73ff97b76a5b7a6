//! Structures of leaves: what `tree!` declares, what the standard library has, as parameters, states and inputs.

use autograd::{Program, ProgramErrorKind, Programs, Tape, Tensor, Tree, Var, grad, hvp, jvp, tree, update, vjp};
use std::collections::BTreeMap;

fn t(x: f64) -> Tensor {
    Tensor::scalar(x)
}

tree! {
    /// Variants of all kinds, with attributes and fields that are no leaves in between.
    #[derive(Debug, PartialEq)]
    pub enum Layer<V> {
        /// Named fields.
        Dense {
            /// A doc.
            weight: V,
            ..rate: f64,
            bias: Option<V>,
        },
        Scale(V, ..&'static str, V),
        Relu,
    }
}

tree! {
    #[derive(Debug, PartialEq)]
    pub(crate) struct Stack<V, L: Tree, A: PartialEq + Default, const N: usize>(pub [L; N], ..A, V);
}

trait Slope {
    fn slope(&self) -> f64;
}
#[derive(Clone, Debug, PartialEq)]
struct Two;
impl Slope for Two {
    fn slope(&self) -> f64 {
        2.0
    }
}
struct Leaky<'a, V, A: Slope, const N: usize> {
    weights: [V; N],
    slope: A,
    name: &'a str,
}
tree!(Leaky<'a, V, A: Slope, const N: usize> { weights, ..slope, ..name });

struct Pair<V>(V, V);
tree!(Pair(first, second));

enum Either<V> {
    Left { value: V },
    Right(V, u8),
    Neither,
}
tree!(enum Either { Left { value }, Right(value, ..kind), Neither });

tree! {
    /// A structure whose first parameter is a structure, and not a leaf.
    #[derive(Debug, PartialEq)]
    struct Twice<A: Tree, B: Tree> {
        first: A,
        second: Vec<B>,
        ..name: &'static str,
    }
}

tree! { #[derive(Debug, PartialEq)] struct Nothing<V>(std::marker::PhantomData<V>, ..u8); }

struct Sequence<L>(Vec<L>);
tree!(Sequence<L: Tree>(layers));

fn stack() -> Stack<Tensor, Layer<Tensor>, u8, 3> {
    let dense = Layer::Dense { weight: t(1.0), rate: 0.5, bias: Some(t(2.0)) };
    Stack([dense, Layer::Scale(t(3.0), "s", t(4.0)), Layer::Relu], 7, t(5.0))
}

#[test]
fn enums_and_generic_structs_name_map_and_visit_their_leaves_in_one_order() {
    let mut net = stack();
    assert_eq!(net.names(), ["0.0.weight", "0.0.bias", "0.1.0", "0.1.2", "2"]);
    assert_eq!(net.clone(), net);
    let values: Vec<f64> = net.leaves().iter().map(|x| x.item()).collect();
    assert_eq!(values, [1.0, 2.0, 3.0, 4.0, 5.0]);
    net.visit_mut(&mut |x| *x = t(-x.item()));
    let numbers = net.map(&mut |x| x.item());
    let layers =
        [Layer::Dense { weight: -1.0, rate: 0.5, bias: Some(-2.0) }, Layer::Scale(-3.0, "s", -4.0), Layer::Relu];
    assert_eq!(numbers, Stack(layers, 7, -5.0));
}

#[test]
fn types_that_stand_elsewhere_are_named_with_their_fields() {
    let leaky = Leaky { weights: [t(1.0), t(3.0)], slope: Two, name: "leaky" };
    assert_eq!(leaky.names(), ["weights.0", "weights.1"]);
    let doubled = leaky.map(&mut |x| x.item() * leaky.slope.slope());
    assert_eq!((doubled.weights, doubled.slope, doubled.name), ([2.0, 6.0], Two, "leaky"));
    assert_eq!(Pair(t(1.0), t(2.0)).names(), ["0", "1"]);
    let Pair(a, b) = Pair(t(1.0), t(2.0)).map(&mut |x| x.item());
    assert_eq!((a, b), (1.0, 2.0));
    let Either::Right(x, kind) = Either::Right(t(1.0), 7).map(&mut |x| x.item() + 1.0) else { panic!() };
    assert_eq!((x, kind), (2.0, 7));
    assert_eq!(
        (Either::Left { value: t(1.0) }.names(), Either::<Tensor>::Neither.names()),
        (vec!["value".into()], vec![])
    );
}

#[test]
fn a_structure_may_be_made_of_structures_alone() {
    let both = Twice { first: Sequence(vec![t(1.0), t(2.0)]).0, second: vec![(t(3.0), t(4.0))], name: "both" };
    assert_eq!(both.names(), ["first.0", "first.1", "second.0.0", "second.0.1"]);
    let tape = Tape::new();
    let vars = tape.vars(&both);
    let grads = grad(vars.first[1] * vars.second[0].1, &vars);
    assert_eq!((grads.second[0].1.item(), grads.first[1].item(), grads.name), (2.0, 4.0, "both"));
    let nothing = Nothing(std::marker::PhantomData::<Tensor>, 7);
    assert_eq!((nothing.names(), nothing.map(&mut |x| x.item()).1), (vec![], 7));
    let sequence = Sequence(vec![Pair(t(1.0), t(2.0)), Pair(t(3.0), t(4.0))]);
    assert_eq!(sequence.names(), ["0.0.0", "0.0.1", "0.1.0", "0.1.1"]);
    let mut last = Program::record(&(), &(&sequence, &both), |_, (), (sequence, both)| {
        (vec![], vec![sequence.0[1].1 + both.second[0].0])
    })
    .unwrap();
    assert_eq!(last.run(&(&sequence, &both)).unwrap().item(0), 7.0);
}

#[test]
fn maps_boxes_options_and_long_tuples_are_structures() {
    let map = BTreeMap::from([("b", Box::new(t(2.0))), ("a", Box::new(t(1.0)))]);
    let all = (
        t(0.0),
        map,
        (t(3.0),),
        None::<Tensor>,
        [Some(t(4.0))],
        vec![t(5.0)],
        t(6.0),
        t(7.0),
        t(8.0),
        t(9.0),
        t(10.0),
        t(11.0),
    );
    assert_eq!(all.names(), ["0", "1.a", "1.b", "2.0", "4.0", "5.0", "6", "7", "8", "9", "10", "11"]);
    let tape = Tape::new();
    let vars = tape.vars(&all);
    let loss = vars.leaves().into_iter().enumerate().fold(tape.scalar(0.0), |sum, (i, x)| sum + x * i as f64);
    let grads = tape.values(&grad(loss, &vars));
    assert_eq!((grads.1["b"].item(), grads.3.is_none(), grads.11.item()), (2.0, true, 11.0));
}

#[test]
fn a_slice_of_variables_is_a_structure_for_every_transform() {
    let mut tape = Tape::new();
    let tensors = [t(1.0), t(2.0), t(3.0)];
    {
        let x: Vec<Var> = tape.vars(&tensors[..]);
        let y = x[0] * x[0] * x[1] + x[2];
        assert_eq!(tape.values(&grad(y, &x[..2])[..]), [t(4.0), t(1.0)]);
        let borrowed: &[Var] = &x;
        assert_eq!(vjp(y, borrowed, tape.scalar(2.0))[2].item(), 2.0);
        assert_eq!(jvp(y, &x[1..], &x[1..]).item(), 2.0 + 3.0);
        assert_eq!(hvp(y, &x[..1], &x[..1])[0].item(), 4.0);
        assert_eq!(update(&x[..2], &grad(y, &x[..2])[..], |x, dx| x - dx)[0].item(), -3.0);
        assert!(tape.first_non_finite(&x[..]).is_none());
    }
    let (_, grads) = tape.value_and_grad(&tensors[1..], |_, x| x[0] * x[1]);
    assert_eq!(grads, [t(3.0), t(2.0)]);
}

#[test]
fn structures_and_nets_are_inputs_of_programs() {
    let record = |net: &Stack<Tensor, Layer<Tensor>, u8, 3>| {
        Program::record(&(), &(net, 2.0_f64), |_, (), (net, x)| {
            let [Layer::Dense { weight, bias, .. }, Layer::Scale(a, _, b), Layer::Relu] = net.0 else { panic!() };
            let y = (x * weight + bias.unwrap()) * a + b - net.2;
            (vec![], vec![y, grad(y, &weight)])
        })
        .unwrap()
    };
    let mut net = stack();
    let mut program = record(&net);
    net.2 = t(-1.0);
    net.0[1] = Layer::Scale(t(10.0), "other", t(0.0));
    let outputs = program.run(&(net, 3.0)).unwrap();
    assert_eq!((outputs.item(0), outputs.item(1)), (51.0, 30.0));
    let lists =
        (vec![Pair(t(1.0), t(2.0))], [Some(t(3.0))], BTreeMap::from([("k".to_owned(), t(4.0))]), Box::new(t(5.0)));
    let mut sum = Program::record(&(), &lists, |_, (), (pairs, [option], map, boxed)| {
        (vec![], vec![pairs[0].0 + pairs[0].1 * option.unwrap() + map["k"] * *boxed])
    })
    .unwrap();
    assert_eq!(sum.run(&lists).unwrap().item(0), 1.0 + 6.0 + 20.0);
}

fn signed(x: Either<Var<'_>>) -> Var<'_> {
    match x {
        Either::Left { value } => value,
        Either::Right(value, _) => -value,
        Either::Neither => panic!(),
    }
}

#[test]
fn another_variant_length_or_key_than_the_recorded_is_an_error_and_not_another_result() {
    let parts = |parts: [Option<f64>; 2]| parts.map(|part| part.map(t));
    let mut first = Program::record(&(), &parts([Some(1.0), None]), |_, (), x| (vec![], vec![x[0].unwrap()])).unwrap();
    assert_eq!(first.run(&parts([Some(7.0), None])).unwrap().item(0), 7.0);
    let error = first.run(&parts([None, Some(7.0)])).err().unwrap();
    assert_eq!(*error.kind(), ProgramErrorKind::Structure { input: 0 });
    assert!(error.to_string().contains("must have the lengths, variants and keys that were recorded"), "{error}");

    let either = |left: bool| if left { Either::Left { value: t(2.0) } } else { Either::Right(t(2.0), 0) };
    let mut program = Programs::record((), &either(true), |_, (), x| (vec![], vec![signed(x)])).unwrap();
    assert_eq!(program.run(&either(true)).unwrap().item(0), 2.0);
    assert_eq!(program.run(&either(false)).unwrap().item(0), -2.0);
    assert_eq!(program.len(), 2);

    let lengths = |a: usize, b: usize| (vec![t(1.0); a], vec![t(2.0); b]);
    let mut sums = Program::record(&(), &lengths(2, 1), |_, (), (a, b)| (vec![], vec![a[0] + a[1] - b[0]])).unwrap();
    assert!(matches!(sums.run(&lengths(1, 2)).err().unwrap().kind(), ProgramErrorKind::Structure { .. }));

    let map = |key: &'static str| BTreeMap::from([(key, t(1.0))]);
    let mut keyed = Program::record(&(), &map("a"), |_, (), x| (vec![], vec![x["a"]])).unwrap();
    assert!(matches!(keyed.run(&map("b")).err().unwrap().kind(), ProgramErrorKind::Structure { input: 0 }));
}

#[test]
fn a_state_may_be_a_structure_of_any_kind_or_nothing() {
    let mut count = Program::record(&BTreeMap::from([("n", t(0.0))]), &(), |_, state, ()| {
        (vec![state["n"] + 1.0], vec![state["n"]])
    })
    .unwrap();
    count.run(&()).unwrap();
    assert_eq!((count.run(&()).unwrap().item(0), count.state("n").unwrap().item()), (1.0, 2.0));
    let mut none = Program::record(&(), &[0_usize, 1], |tape, (), labels| {
        (vec![], vec![tape.var(&Tensor::from([5.0_f32, 6.0])).gather(0, &labels)])
    })
    .unwrap();
    assert_eq!(none.run(&[1_usize, 1]).unwrap().slice(0), [6.0, 6.0]);
    assert_eq!(none.store_state(&mut ()), Ok(()));
}
