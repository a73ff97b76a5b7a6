//! Attention, and the block of a transformer.

use crate::context::Context;
use crate::layers::{Activation, Dropout, Init, LayerNorm, Linear};
use autograd::{Float, Tape, Tensor, Var, concat, tree};
use rand::Rng;

/// Which keys a query does not see.
#[derive(Clone, Copy, Debug)]
pub enum Mask<'t, T: Float = f64> {
    /// 1 where a key is hidden, else 0: a boolean mask of PyTorch.
    Hide(Var<'t, T>),
    /// Added to the scores: a mask of numbers of PyTorch.
    Add(Var<'t, T>),
}

impl<'t, T: Float> Mask<'t, T> {
    /// No step of so many sees those behind it, as `torch.nn.Transformer.generate_square_subsequent_mask` has it.
    ///
    /// ```
    /// use autograd::Tape;
    /// use nn::layers::Mask;
    /// let tape = Tape::<f64>::new();
    /// let Mask::Hide(hidden) = Mask::causal(&tape, 2) else { unreachable!() };
    /// assert_eq!(hidden.value().as_slice(), [0.0, 1.0, 0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn causal(tape: &'t Tape<T>, steps: usize) -> Self {
        let hidden = |i: usize| if i % steps > i / steps { T::ONE } else { T::ZERO };
        Self::Hide(tape.var(&Tensor::from_fn([steps, steps], hidden)))
    }
}

/// Attention with several heads (Vaswani et al., "Attention is all you need", 2017): `torch.nn.MultiheadAttention`, with its names and layouts
/// of parameters. Keys and values may have other widths than queries.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::Context;
/// use nn::layers::{Mask, MultiheadAttention};
/// let layer: MultiheadAttention<Tensor> = MultiheadAttention::new(8, 2, &mut nn::generator(0));
/// let tape = Tape::new();
/// let (layer, x) = (tape.vars(&layer), tape.var(&Tensor::from_fn([5, 1, 8], |i| (i as f64).sin()))); // 5 steps of a sequence
/// let (y, weights) = layer.forward([x, x, x], None, Some(Mask::causal(&tape, 5)), &Context::evaluating());
/// assert_eq!((&y.shape()[..], weights.value().at([0, 0, 1])), (&[5, 1, 8][..], 0.0));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MultiheadAttention<V> {
    /// Of queries, keys and values below each other, `[3 · width, width]`, where they have one width.
    pub in_proj_weight: Option<V>,
    /// Of queries, `[width, width]`, where widths differ.
    pub q_proj_weight: Option<V>,
    /// Of keys, `[width, key width]`.
    pub k_proj_weight: Option<V>,
    /// Of values, `[width, value width]`.
    pub v_proj_weight: Option<V>,
    /// `[3 · width]`
    pub in_proj_bias: Option<V>,
    /// A key that each sequence has more, `[1, 1, width]` (`add_bias_kv`).
    pub bias_k: Option<V>,
    /// Its value, `[1, 1, width]`.
    pub bias_v: Option<V>,
    /// From the heads to the results.
    pub out_proj: Linear<V>,
    /// The number of heads.
    pub heads: usize,
    /// What is left out of the weights in training.
    pub dropout: Dropout,
    /// Whether sequences are `[n, steps, width]`, else `[steps, n, width]`.
    pub batch_first: bool,
    /// Whether each sequence has a key and a value of zeros more (`add_zero_attn`).
    pub zero_key: bool,
}
tree!(MultiheadAttention {
    in_proj_weight, q_proj_weight, k_proj_weight, v_proj_weight, in_proj_bias, bias_k, bias_v, out_proj, ..heads, ..dropout, ..batch_first, ..zero_key
});

impl<T: Float> MultiheadAttention<Tensor<T>> {
    /// So many heads, which share the width, with weights as PyTorch's: uniform by Glorot, biases 0.
    ///
    /// # Panics
    /// Where the width is not so many heads of one size.
    #[track_caller]
    pub fn new(width: usize, heads: usize, rng: &mut impl Rng) -> Self {
        let init = Init::XavierUniform { gain: 1.0 };
        let mut layer = Self::of_widths(width, [width, width], heads, rng);
        layer.in_proj_weight = Some(init.sample([3 * width, width], rng));
        (layer.q_proj_weight, layer.k_proj_weight, layer.v_proj_weight) = (None, None, None);
        layer
    }

    /// The same for keys and values of other widths.
    ///
    /// # Panics
    /// As [`MultiheadAttention::new`].
    #[track_caller]
    pub fn of_widths(width: usize, [keys, values]: [usize; 2], heads: usize, rng: &mut impl Rng) -> Self {
        assert!(
            heads > 0 && width.is_multiple_of(heads),
            "MultiheadAttention::new: a width of {width} is not {heads} heads of one size"
        );
        let init = Init::XavierUniform { gain: 1.0 };
        let high = 1.0 / (width.max(1) as f64).sqrt();
        Self {
            in_proj_weight: None,
            q_proj_weight: Some(init.sample([width, width], rng)),
            k_proj_weight: Some(init.sample([width, keys], rng)),
            v_proj_weight: Some(init.sample([width, values], rng)),
            in_proj_bias: Some(Tensor::zeros([3 * width])),
            bias_k: None,
            bias_v: None,
            out_proj: Linear::new([width, width], Init::Uniform { low: -high, high }, rng),
            heads,
            dropout: Dropout { probability: 0.0 },
            batch_first: false,
            zero_key: false,
        }
    }

    /// The same without biases.
    pub fn without_bias(self) -> Self {
        Self { in_proj_bias: None, out_proj: Linear { bias: None, ..self.out_proj }, ..self }
    }

    /// The same with a key and a value more that are learnt (`add_bias_kv`).
    pub fn with_bias_key(self, rng: &mut impl Rng) -> Self {
        let width = self.out_proj.weight.shape()[0];
        let sample = |rng: &mut _| Some(Init::XavierNormal { gain: 1.0 }.sample([1, 1, width], rng));
        Self { bias_k: sample(rng), bias_v: sample(rng), ..self }
    }
}

impl<'t, T: Float> MultiheadAttention<Var<'t, T>> {
    /// What the queries find: results as queries are, and the weights of all keys, `[n, queries, keys]`, in the mean over the heads. `hidden_keys`
    /// is of keys `[n, keys]`, `mask` of `[queries, keys]` or `[n · heads, queries, keys]`.
    ///
    /// # Panics
    /// Where shapes do not fit.
    #[track_caller]
    pub fn forward(
        &self,
        [query, key, value]: [Var<'t, T>; 3],
        hidden_keys: Option<Mask<'t, T>>,
        mask: Option<Mask<'t, T>>,
        context: &Context<'t, T>,
    ) -> (Var<'t, T>, Var<'t, T>) {
        let tape = query.tape();
        let _whole = tape.composite("MultiheadAttention::forward", [query, key, value]);
        for x in [query, key, value] {
            assert!(
                x.shape().rank() == 3,
                "MultiheadAttention::forward: queries, keys and values of three axes are needed, not of shape {}",
                x.shape()
            );
        }
        let first = |x: Var<'t, T>| if self.batch_first { x } else { x.transpose(&[1, 0, 2]) };
        let [query, key, value] = self.projected([first(query), first(key), first(value)]);
        let (n, l, width) = (query.shape()[0], query.shape()[1], query.shape()[2]);
        let mut more = 0;
        let mut longer = |x: Var<'t, T>, bias: Option<Var<'t, T>>| {
            more = usize::from(bias.is_some()) + usize::from(self.zero_key);
            let learnt = bias.map(|bias| bias.broadcast_to([n, 1, width]));
            let zero = self.zero_key.then(|| tape.full([n, 1, width], T::ZERO));
            let all: Vec<Var<'t, T>> = [Some(x), learnt, zero].into_iter().flatten().collect();
            if all.len() == 1 { x } else { concat(&all, 1) }
        };
        let (key, value) = (longer(key, self.bias_k), longer(value, self.bias_v));
        let (s, size) = (key.shape()[1], width / self.heads);
        let heads = |x: Var<'t, T>, steps: usize| x.reshape([n, steps, self.heads, size]).transpose(&[0, 2, 1, 3]);
        let (query, key, value) = (heads(query, l), heads(key, s), heads(value, s));
        // What is added to the keys is seen by all.
        let seen = |mask: Var<'t, T>| {
            let before = vec![(0, 0); mask.shape().rank() - 1];
            mask.pad(&[&before[..], &[(0, more)]].concat(), 0.0)
        };
        let mut scores = query.matmul(key.transpose(&[0, 1, 3, 2])) / (size as f64).sqrt();
        if let Some(hidden) = hidden_keys {
            scores = masked(scores, hidden, |mask| seen(mask).reshape([n, 1, 1, s]));
        }
        if let Some(mask) = mask {
            let of = |mask: Var<'t, T>| match mask.shape().rank() {
                2 => seen(mask),
                _ => seen(mask).reshape([n, self.heads, l, s]),
            };
            scores = masked(scores, mask, of);
        }
        let weights = scores.softmax(-1);
        let kept = self.dropout.forward(weights, &context.at("dropout"));
        let y = kept.matmul(value).transpose(&[0, 2, 1, 3]).reshape([n, l, width]);
        let y = self.out_proj.forward(y);
        (if self.batch_first { y } else { y.transpose(&[1, 0, 2]) }, weights.mean_axes(1))
    }

    /// Queries, keys and values of the heads.
    #[track_caller]
    fn projected(&self, given: [Var<'t, T>; 3]) -> [Var<'t, T>; 3] {
        let width = self.out_proj.weight.shape()[1];
        let weights = match self.in_proj_weight {
            Some(all) => [0, 1, 2].map(|i| Some(all.narrow(0, i * width, width))),
            None => [self.q_proj_weight, self.k_proj_weight, self.v_proj_weight],
        };
        let mut projected = given;
        for (i, weight) in weights.into_iter().enumerate() {
            let Some(weight) = weight else {
                panic!("MultiheadAttention::forward: `in_proj_weight` or one weight for each of the inputs is needed");
            };
            projected[i] = given[i].linear(weight, self.in_proj_bias.map(|bias| bias.narrow(0, i * width, width)));
        }
        projected
    }
}

/// Scores without those that are hidden.
#[track_caller]
fn masked<'t, T: Float>(scores: Var<'t, T>, mask: Mask<'t, T>, shape: impl Fn(Var<'t, T>) -> Var<'t, T>) -> Var<'t, T> {
    match mask {
        Mask::Add(added) => scores + shape(added),
        Mask::Hide(hidden) => shape(hidden).gt(0.5).select(f64::NEG_INFINITY, scores),
    }
}

/// A block of a transformer: attention of a sequence to itself and a net for each step, each with a short cut and a layer norm: behind it, or
/// before (`norm_first`). `torch.nn.TransformerEncoderLayer`, with its names of parameters.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::Context;
/// use nn::layers::TransformerBlock;
/// let block: TransformerBlock<Tensor> = TransformerBlock::new(8, 2, 32, &mut nn::generator(0));
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from_fn([5, 1, 8], |i| (i as f64).sin()));
/// let y = tape.vars(&block).forward(x, None, None, &Context::evaluating());
/// assert_eq!(y.shape()[..], [5, 1, 8]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct TransformerBlock<V> {
    /// The attention.
    pub self_attn: MultiheadAttention<V>,
    /// From the width to that of the net for each step.
    pub linear1: Linear<V>,
    /// Back.
    pub linear2: Linear<V>,
    /// Of the attention.
    pub norm1: LayerNorm<V>,
    /// Of the net for each step.
    pub norm2: LayerNorm<V>,
    /// What stands between the two linear layers.
    pub activation: Activation,
    /// What is left out in training of the results of both parts, and within the second.
    pub dropout: Dropout,
    /// Whether the norms stand before the parts.
    pub norm_first: bool,
}
tree!(TransformerBlock { self_attn, linear1, linear2, norm1, norm2, ..activation, ..dropout, ..norm_first });

impl<T: Float> TransformerBlock<Tensor<T>> {
    /// Of this width, so many heads and so many hidden nodes for each step, with ReLU, without dropout, norms behind, and weights as PyTorch's.
    ///
    /// # Panics
    /// As [`MultiheadAttention::new`].
    #[track_caller]
    pub fn new(width: usize, heads: usize, hidden: usize, rng: &mut impl Rng) -> Self {
        let uniform = |inputs: usize| {
            let high = 1.0 / (inputs.max(1) as f64).sqrt();
            Init::Uniform { low: -high, high }
        };
        Self {
            self_attn: MultiheadAttention::new(width, heads, rng),
            linear1: Linear::new([width, hidden], uniform(width), rng),
            linear2: Linear::new([hidden, width], uniform(hidden), rng),
            norm1: LayerNorm::new([width]),
            norm2: LayerNorm::new([width]),
            activation: Activation::Relu,
            dropout: Dropout { probability: 0.0 },
            norm_first: false,
        }
    }

    /// The same without biases.
    pub fn without_bias(self) -> Self {
        Self {
            self_attn: self.self_attn.without_bias(),
            linear1: Linear { bias: None, ..self.linear1 },
            linear2: Linear { bias: None, ..self.linear2 },
            norm1: LayerNorm { bias: None, ..self.norm1 },
            norm2: LayerNorm { bias: None, ..self.norm2 },
            ..self
        }
    }

    /// The same with a share that is left out in training, everywhere.
    ///
    /// # Panics
    /// Where it is not between 0 and 1.
    #[track_caller]
    pub fn with_dropout(mut self, probability: f64) -> Self {
        self.dropout = Dropout::new(probability);
        self.self_attn.dropout = self.dropout;
        self
    }
}

impl<'t, T: Float> TransformerBlock<Var<'t, T>> {
    /// The next sequence, as long and as wide; masks as of [`MultiheadAttention::forward`].
    ///
    /// # Panics
    /// Where shapes do not fit.
    #[track_caller]
    pub fn forward(
        &self,
        x: Var<'t, T>,
        hidden_keys: Option<Mask<'t, T>>,
        mask: Option<Mask<'t, T>>,
        context: &Context<'t, T>,
    ) -> Var<'t, T> {
        let _whole = x.tape().composite("TransformerBlock::forward", [x]);
        if self.norm_first {
            let x = x + self.attended(self.norm1.forward(x), [hidden_keys, mask], context);
            x + self.each_step(self.norm2.forward(x), context)
        } else {
            let x = self.norm1.forward(x + self.attended(x, [hidden_keys, mask], context));
            self.norm2.forward(x + self.each_step(x, context))
        }
    }

    #[track_caller]
    fn attended(&self, x: Var<'t, T>, masks: [Option<Mask<'t, T>>; 2], context: &Context<'t, T>) -> Var<'t, T> {
        let (y, _) = self.self_attn.forward([x; 3], masks[0], masks[1], &context.at("self_attn"));
        self.dropout.forward(y, &context.at("dropout1"))
    }

    #[track_caller]
    fn each_step(&self, x: Var<'t, T>, context: &Context<'t, T>) -> Var<'t, T> {
        let hidden = self.activation.apply(self.linear1.forward(x));
        let y = self.linear2.forward(self.dropout.forward(hidden, &context.at("dropout")));
        self.dropout.forward(y, &context.at("dropout2"))
    }
}
