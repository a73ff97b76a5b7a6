//! Passes that are taken elsewhere, and what the tape makes of them.

use autograd::{
    Axes, Conv, IndexVar, Key, Padding, Pool, Slice, Tape, Tensor, Transposed, Var, concat, einsum, grad, keepdims,
};
use export::Forward;
use nn::layers::{
    Activation, BatchNorm, Cell, Conv2d, Edges, Embedding, GroupNorm, LayerNorm, Mask, PRelu, Recurrent, RmsNorm,
    TransformerBlock,
};
use nn::{Context, Init, Linear, Mlp, generator};

type Function = Box<dyn for<'t> Fn(Var<'t>) -> Var<'t>>;

/// A pass from `x`, whose shape behind the batch is given.
pub(crate) struct Pass {
    pub(crate) name: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) of: Function,
    /// Which numbers it takes: between these.
    pub(crate) within: [f64; 2],
}

impl Pass {
    /// As it is recorded for other places.
    pub(crate) fn forward(&self) -> Result<Forward, export::Error> {
        Forward::record::<f64>(|to| {
            let x = to.input("x", self.shape_of(to.batch()));
            to.output("y", (self.of)(x));
        })
    }

    fn shape_of(&self, batch: usize) -> Vec<usize> {
        [&[batch][..], &self.shape].concat()
    }

    /// Numbers for so many examples, the same each time.
    pub(crate) fn input(&self, batch: usize) -> Tensor {
        let shape = self.shape_of(batch);
        let tape = Tape::new();
        let [low, high] = self.within;
        (tape.key(Key::new(7)).uniform(shape) * (high - low) + low).value()
    }

    /// What the tape makes of them.
    pub(crate) fn output(&self, x: &Tensor) -> Tensor {
        let tape = Tape::new();
        (self.of)(tape.var(x)).value()
    }
}

fn pass(name: &str, shape: &[usize], of: impl for<'t> Fn(Var<'t>) -> Var<'t> + 'static) -> Pass {
    Pass { name: name.to_owned(), shape: shape.to_vec(), of: Box::new(of), within: [-2.0, 2.0] }
}

/// Numbers that are the same each time.
pub(crate) fn tensor(shape: &[usize]) -> Tensor {
    Tensor::from_fn(shape.to_vec(), |i| ((i * 37 + 11) % 23) as f64 / 11.0 - 1.0)
}

pub(crate) fn all() -> Vec<Pass> {
    let mut all = element_wise();
    all.extend(of_two());
    all.extend(arranged());
    all.extend(reduced());
    all.extend(nets());
    all.extend((0..60).map(crate::random::pass));
    all
}

fn element_wise() -> Vec<Pass> {
    macro_rules! each {
        ($($name:ident($($p:expr),*) $within:expr;)*) => {
            vec![$(Pass { within: $within, ..pass(stringify!($name), &[9], |x| x.$name($($p),*)) }),*]
        };
    }
    let wide = [-3.0, 3.0];
    let mut all = each! {
        neg() wide; abs() wide; sign() wide; floor() wide; ceil() wide; round() wide; exp() wide; expm1() wide; log() [0.1, 5.0];
        log1p() [-0.9, 4.0]; sqrt() [0.0, 4.0]; rsqrt() [0.1, 4.0]; reciprocal() [0.5, 4.0]; square() wide; sin() wide; cos() wide; tan() [-1.0, 1.0];
        asin() [-0.99, 0.99]; acos() [-0.99, 0.99]; atan() wide; sinh() wide; cosh() wide; tanh() wide; asinh() wide; acosh() [1.1, 5.0];
        atanh() [-0.9, 0.9]; sigmoid() [-40.0, 40.0]; log_sigmoid() [-40.0, 40.0]; softplus() [-40.0, 40.0]; relu() wide; leaky_relu(0.1) wide; elu(1.3) wide;
        gelu() [-6.0, 6.0]; gelu_tanh() wide; silu() wide; mish() wide; softsign() wide; erf() wide; erfc() wide;
        pow_scalar(2.0) wide; pow_scalar(3.0) wide; pow_scalar(-1.0) [0.5, 2.0]; pow_scalar(0.5) [0.0, 2.0]; pow_scalar(-0.5) [0.5, 2.0];
        pow_scalar(2.5) [0.0, 3.0]; pow_scalar(0.0) wide; pow_scalar(1.0) wide; clamp(Some(-1.0), Some(0.5)) wide; clamp(None, Some(0.5)) wide;
        exp2() wide; pow_of(3.0) wide; log2() [0.1, 9.0]; log10() [0.1, 9.0]; cbrt() wide; logit() [0.01, 0.99]; log_cosh() wide; log_ndtr() [-6.0, 6.0]; log_ndtr() [-60.0, -3.0]; ndtr() [-6.0, 6.0];
        celu(1.3) wide; selu() wide; hardtanh(-1.0, 1.5) wide; hardsigmoid() [-4.0, 4.0]; hardswish() [-4.0, 4.0]; softshrink(0.5) wide;
        hardshrink(0.5) wide; tanhshrink() wide; threshold(0.5, -1.0) wide;
        nan_to_num() wide; stop_gradient() wide;
    };
    all.push(pass("scalars", &[3], |x| (2.0 - x * 3.0) / 7.0 + 1e-3));
    for (i, pass) in all.iter_mut().enumerate() {
        pass.name = format!("{}_{i}", pass.name);
    }
    all
}

fn of_two() -> Vec<Pass> {
    macro_rules! each {
        ($($name:ident $within:expr;)*) => {
            vec![$(Pass { within: $within, ..pass(concat!("of_two_", stringify!($name)), &[2, 3], |x| {
                let row = x.tape().var(&Tensor::from([0.7, 1.4, 2.1]));
                x.$name(row) + row.$name(x.narrow(1, 1, 1))
            }) }),*]
        };
    }
    let positive = [0.5, 3.0];
    let mut all = each! {
        add positive; sub positive; mul positive; div positive; pow positive; maximum positive; minimum positive; hypot positive; rem positive;
        logaddexp positive; xlogy positive; xlog1py positive; eq positive; ne positive; lt positive; le positive; gt positive; ge positive;
    };
    all.push(pass("choice", &[4], |x| x.gt(0.5).select(x.exp(), x * 0.0)));
    all.push(pass("compared_to_itself", &[4], |x| x.eq(x) + x.le(x) - x.lt(x)));
    all
}

fn arranged() -> Vec<Pass> {
    vec![
        pass("transposed", &[2, 3, 4], |x| x.transpose(&[0, 3, 1, 2])),
        pass("batch_last", &[2, 3], |x| x.transpose(&[1, 2, 0]).transpose(&[2, 1, 0])),
        pass("reshaped", &[2, 3, 4], |x| {
            let n = x.shape()[0];
            x.reshape([n * 2, 12]).tanh().reshape([n, 24])
        }),
        pass("sliced", &[6, 5], |x| x.slice([Slice::all(), Slice::from(1..5).step(2), Slice::all()])),
        pass("flipped", &[4, 3], |x| x.flip(&[1, 2])),
        pass("rolled", &[5], |x| x.roll(&[2], &[1])),
        pass("padded", &[3, 2], |x| x.pad(&[(0, 0), (1, 2), (0, 1)], 1.5)),
        pass("rolled_twice", &[4, 3], |x| x.roll(&[1, -1], &[1, 2]) * x),
        pass("joined", &[3], |x| concat(&[x, x.exp(), x.narrow(1, 0, 1)], 1)),
        pass("stacked", &[3], |x| autograd::stack(&[x, x.square()], 1)),
        pass("spread", &[1, 3], |x| {
            let n = x.shape()[0];
            x.broadcast_to([n, 4, 3])
        }),
        pass("diagonal", &[3, 3], |x| x.diagonal(1, 2)),
        pass("embedded_diagonal", &[3], |x| x.diag_embed(1)),
        pass("lower", &[3, 3], |x| x.tril(0)),
        pass("some_by_index", &[5, 2], |x| {
            let index: IndexVar<'_> = x.tape().indices([3], &[4, -5, 1]);
            x.gather(1, &index)
        }),
        pass("by_own_argmax", &[4, 3], |x| {
            let best = x.argmax(2);
            x.take_along_axis(2, &best.expand_dims(2)).squeeze(2) + best.numbers() * 10.0 - x.argmin(2).numbers()
        }),
        pass("between_places_of_a_table", &[4], |x| {
            let table = x.tape().var(&Tensor::from([0.5, 2.0, -1.0, 4.0, 0.25]));
            let at = x * 2.0 + 1.5;
            let (low, high) = (table.gather(0, &at.to_index(5)), table.gather(0, &(at + 1.0).to_index(5)));
            low + (high - low) * (at - at.floor()) + at.to_index(3).numbers()
        }),
        pass("constant_for_each", &[3], |x| {
            let n = x.shape()[0];
            x + x.tape().full([n, 3], 0.25) + x.tape().var(&Tensor::from_fn([n, 1], |_| 2.0))
        }),
    ]
}

type Over = fn() -> Axes;

fn reduced() -> Vec<Pass> {
    let over: [(&str, Over); 4] =
        [("last", || 2.into()), ("middle", || 1.into()), ("kept", || keepdims([1, 2])), ("both", || [1, 2].into())];
    let mut all = Vec::new();
    for (name, axes) in over {
        let mut add = |what: &str, of: Function| {
            all.push(Pass { name: format!("{what}_{name}"), shape: vec![3, 4], of, within: [-2.0, 2.0] });
        };
        add("sum", Box::new(move |x| x.sum_axes(axes())));
        add("mean", Box::new(move |x| x.mean_axes(axes())));
        add("max", Box::new(move |x| x.max_axes(axes())));
        add("min", Box::new(move |x| x.min_axes(axes())));
        add("var", Box::new(move |x| x.var(1, axes())));
        add("std", Box::new(move |x| x.std(0, axes())));
        add("norm", Box::new(move |x| x.norm(2.0, axes())));
        add("norm1", Box::new(move |x| x.norm(1.0, axes())));
        add("largest", Box::new(move |x| x.norm(f64::INFINITY, axes())));
        add("logsumexp", Box::new(move |x| x.logsumexp(axes())));
        add("shares", Box::new(move |x| grad((x + 1000.0).logsumexp(axes()).sum(), &x)));
    }
    for axis in [1, 2] {
        let mut add = |what: &str, of: Function| {
            all.push(Pass { name: format!("{what}_{axis}"), shape: vec![3, 4], of, within: [-30.0, 30.0] });
        };
        add("softmax", Box::new(move |x| x.softmax(axis)));
        add("log_softmax", Box::new(move |x| x.log_softmax(axis)));
        add("cumsum", Box::new(move |x| x.cumsum(axis)));
        add("reverse_cumsum", Box::new(move |x| x.flip(&[axis]).cumsum(axis)));
    }
    all
}

fn nets() -> Vec<Pass> {
    let rng = &mut generator(3);
    let mut all = vec![
        pass("products", &[3, 4], |x| {
            let (a, b) = (x.tape().var(&tensor(&[4, 5])), x.tape().var(&tensor(&[6, 3])));
            b.matmul(x).matmul(a).sum_axes(1)
        }),
        pass("transposed_products", &[3, 4], |x| {
            let b = x.tape().var(&tensor(&[5, 4]));
            let y = x.matmul_with(b, Transposed::RIGHT);
            y.matmul_with(x, Transposed::LEFT) + x.matmul_with(x, Transposed::RIGHT).sum_axes(keepdims([1, 2]))
        }),
        pass("einsum", &[3, 4], |x| einsum("bij,bkj->bik", &[x, x.sin()])),
        pass("convolution", &[4, 6, 5], |x| {
            let (w, b) = (x.tape().var(&tensor(&[6, 2, 3, 2])), x.tape().var(&tensor(&[6])));
            x.conv2d(w, Some(b), Conv { stride: [2, 1], padding: [1, 1], dilation: [1, 2], groups: 2 })
        }),
        pass("signal", &[2, 9], |x| x.conv1d(x.tape().var(&tensor(&[3, 2, 3])), None, Conv::default())),
        pass("pooled", &[2, 6, 5], |x| x.max_pool2d(Pool { kernel: [3, 2], stride: [2, 1], padding: [1, 0] })),
        pass("mean_pooled", &[2, 5, 5], |x| {
            x.avg_pool2d(Pool { padding: [1, 1], ..Pool::new([2, 2]) }, Padding::IsLeftOut)
                + x.avg_pool2d(Pool::new([2, 2]).ceil_mode(), Padding::Counts)
        }),
    ];
    for activation in [
        Activation::Identity,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.2 },
        Activation::Elu { alpha: 0.7 },
        Activation::Celu { alpha: 1.4 },
        Activation::Selu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Mish,
        Activation::Silu,
        Activation::Softplus,
        Activation::Tanh,
        Activation::Hardtanh { low: -0.5, high: 1.0 },
        Activation::Hardswish,
        Activation::Softshrink { lambda: 0.3 },
        Activation::Softsign,
        Activation::Sigmoid,
    ] {
        let name: String = format!("{activation:?}").chars().filter(char::is_ascii_alphabetic).collect();
        let net: Mlp<Tensor> = Mlp::new(&[4, 6, 5, 3], activation, 1);
        all.push(pass(&format!("mlp_{}", name.to_lowercase()), &[4], move |x| {
            x.tape().vars(&net).forward(x).softmax(-1)
        }));
    }
    let norm: LayerNorm<Tensor> = LayerNorm::new([4]);
    let rms: RmsNorm<Tensor> = RmsNorm::new([4]);
    let groups: GroupNorm<Tensor> = GroupNorm::new(2, 4);
    let batch: BatchNorm<Tensor> = BatchNorm::new(4);
    let slopes: PRelu<Tensor> = PRelu::new(4);
    all.push(pass("norms", &[3, 4], move |x| x.tape().vars(&norm).forward(x) + x.tape().vars(&rms).forward(x)));
    all.push(pass("norms_of_channels", &[4, 3], move |x| {
        let context = Context::evaluating();
        let y = x.tape().vars(&groups).forward(x) + x.tape().vars(&batch).forward(x, &context);
        x.tape().vars(&slopes).forward(y)
    }));
    let images: Conv2d<Tensor> = Conv2d::new([1, 3], [3, 3], rng);
    let images = Conv2d { edges: Edges::Reflect, ..images };
    let head: Linear<Tensor> = Linear::new([27, 2], Init::XavierUniform { gain: 1.0 }, rng);
    all.push(pass("images", &[1, 8, 8], move |x| {
        let y = x.tape().vars(&images).forward(x).relu().max_pool2d(Pool::new([2, 2]));
        let n = y.shape()[0];
        x.tape().vars(&head).forward(y.reshape([n, 27]))
    }));
    let mut block: TransformerBlock<Tensor> = TransformerBlock::new(6, 2, 8, rng);
    block.self_attn.batch_first = true;
    all.push(pass("attention", &[5, 6], move |x| {
        let mask = Mask::causal(x.tape(), 5);
        x.tape().vars(&block).forward(x, None, Some(mask), &Context::evaluating())
    }));
    for (name, cell) in [("gru", Cell::Gru), ("lstm", Cell::Lstm)] {
        let mut net: Recurrent<Tensor> = Recurrent::in_both_directions(cell, [2, 3], 2, rng);
        net.batch_first = true;
        all.push(pass(name, &[4, 2], move |x| {
            let (y, states) = x.tape().vars(&net).forward(x, &[]);
            y.sum_axes(1) + states[0].sum_axes(0).sum_axes(keepdims(1))
        }));
    }
    all
}

/// A table of vectors, which takes integers.
pub(crate) fn embedding() -> (Embedding<Tensor>, Forward) {
    let table: Embedding<Tensor> = Embedding::new(7, 3, &mut generator(0));
    let forward = Forward::record::<f64>(|to| {
        let words = to.indices("words", [to.batch(), 4]);
        to.output("mean", to.tape().vars(&table).forward(&words).mean_axes(1));
    });
    (table.clone(), forward.unwrap())
}
