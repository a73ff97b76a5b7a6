"""Twenty-eight workloads on arrays in JAX: `python arrays.py DIRECTORY TIMES`, with the directory that `peer-arrays` wrote and the lines
that it printed. Each is checked first, and then timed call by call, and in a loop on the device.

A step is a loss, its gradient, and an update of all parameters, as in `arrays/src/main.rs`.
"""

import os
import sys
from pathlib import Path

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
os.environ["JAX_PLATFORMS"] = "cpu"
import jax  # noqa: E402
import numpy as np  # noqa: E402
from jax import numpy as jnp  # noqa: E402
from jax.nn import gelu, leaky_relu, log_softmax, logsumexp, relu, sigmoid, silu, softmax, softplus  # noqa: E402
from jax.scipy.special import erf, gammaln  # noqa: E402
from peers import median  # noqa: E402

RATE = 1e-5
COMPARED = 3
TOLERANCE = 2e-4
STEPS_OF_A_LOOP = 20


def draw(seed, count):
    """Numbers in [0, 1): the same as in `arrays/src/workloads.rs`."""
    i = np.arange(1, count + 1, dtype=np.uint64)
    mixed = (i * np.uint64(2_654_435_761) + np.uint64(seed * 40_503)) % np.uint64(1 << 32)
    mixed = ((mixed ^ (mixed >> np.uint64(15))) * np.uint64(2_246_822_519)) % np.uint64(1 << 32)
    return (mixed ^ (mixed >> np.uint64(13))).astype(np.float64) / (1 << 32)


def numbers(seed, shape, scale):
    return ((draw(seed, int(np.prod(shape))) * 2 - 1) * scale).astype(np.float32).reshape(shape)


def below(seed, count, n):
    return (draw(seed, count) * n).astype(np.int32)


def mish(x):
    return x * jnp.tanh(softplus(x))


def normalised(x):
    centred = x - x.mean(-1, keepdims=True)
    return centred / jnp.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)


def heads(x, h):
    b, t, c = x.shape
    return x.reshape(b, t, h, c // h).transpose(0, 2, 1, 3)


def unit(x):
    return x * jax.lax.rsqrt((x**2).sum(1, keepdims=True) + 1e-6)


def cross_entropy(scores, labels):
    return -jnp.take_along_axis(log_softmax(scores), labels[:, None], axis=1).mean()


def rows_standardised(p, x, i, j):
    centred = p[0] - p[0].mean(1, keepdims=True)
    scale = jax.lax.rsqrt((centred**2).mean(1, keepdims=True) + 1e-5)
    return ((centred * scale) ** 2 * x[0]).mean()


def transformer_block(p, x, i, j):
    h = x[0]
    qkv = normalised(h) @ p[0]
    q, k, v = (heads(qkv[:, :, at : at + 64], 4) for at in (0, 64, 128))
    scores = (q @ k.transpose(0, 1, 3, 2)) * 0.25
    mixed = (softmax(scores, 3) @ v).transpose(0, 2, 1, 3).reshape(4, 32, 64)
    h = h + mixed @ p[1]
    h = h + gelu(normalised(h) @ p[2], approximate=False) @ p[3]
    return ((h - x[1]) ** 2).mean()


def graph_convolution(p, x, i, j):
    a = jnp.maximum(x[0] > 0.8, x[0].T > 0.8).astype(jnp.float32)
    scale = jax.lax.rsqrt(a.sum(1, keepdims=True) + 1)
    h = relu((((a @ (x[1] * scale)) + x[1]) * scale) @ p[0])
    y = ((a @ (h * scale) + h) * scale) @ p[1]
    return ((y - x[2]) ** 2).mean()


def ranking(p, x, i, j):
    scores = x[0] @ p[0]
    apart = scores[:, None] - scores
    sooner = (x[1][:, None] - x[1] > 0).astype(jnp.float32)
    return (softplus(-apart) * sooner).sum() / 300


def contrastive(p, x, i, j):
    logits = (unit(x[0] @ p[0]) @ unit(x[1] @ p[0]).T) * 10
    return cross_entropy(logits, i) + cross_entropy(logits.T, i)


def ordinal(p, x, i, j):
    z = (x[0] @ p[0])[:, None]
    under = sigmoid(jnp.cumsum(softplus(p[1])) - 2 - z)
    ones = jnp.ones((under.shape[0], 1), jnp.float32)
    upper, lower = jnp.concatenate([under, ones], 1), jnp.concatenate([ones * 0, under], 1)
    return -jnp.log(jnp.take_along_axis(upper - lower, i[:, None], axis=1) + 1e-6).mean()


def mixture(p, x, i, j):
    apart = (x[0] - p[0]) * jnp.exp(-p[1])
    log = (apart**2).sum(2) * -0.5 - p[1].sum(1) + log_softmax(p[2])
    return -logsumexp(log, 1).mean()


def n_body(p, x, i, j):
    apart = p[0][:, None] - p[0]
    distance = jax.lax.rsqrt((apart**2).sum(2) + 1e-2)
    return -(distance * x[0] * x[0][:, None]).sum() / 128


def short_rows(p, x, i, j):
    log = p[0] - logsumexp(p[0], 1, keepdims=True)
    return jnp.tanh((log * x[0]).sum(1)).mean()


def batch_norm_4d(p, x, i, j):
    centred = x[0] - x[0].mean((0, 2, 3), keepdims=True)
    scale = jax.lax.rsqrt((centred**2).mean((0, 2, 3), keepdims=True) + 1e-5)
    return (relu(centred * scale * p[0] + p[1]) ** 2).mean()


def messages(p, x, i, j):
    sent = jnp.tanh(x[0] @ p[0])[i]
    received = jnp.zeros_like(x[0]).at[j].add(sent)
    return ((received - x[1]) ** 2).mean()


def attention_mask(p, x, i, j):
    scores = p[0] @ p[1].transpose(0, 1, 3, 2) * 0.25
    return ((softmax(jnp.where(x[0] > 0.5, -1e9, scores), 3) @ p[2]) ** 2).mean()


def graph_attention(p, x, i, j):
    h = x[0] @ p[0]
    weight = jnp.exp(leaky_relu((h @ p[1])[i] + (h @ p[2])[j], 0.2))
    total = jnp.zeros(500, jnp.float32).at[j].add(weight) + 1e-6
    received = jnp.zeros_like(x[1]).at[j].add(h[i] * (weight / total[j])[:, None])
    return ((received - x[1]) ** 2).mean()


def negative_binomial(p, x, i, j):
    eta, y, r = x[0] @ p[0], jnp.floor(x[1] + 4), jnp.exp(p[1])
    log = jnp.log(r + jnp.exp(eta))
    counts = gammaln(y + r) - gammaln(r) - gammaln(y + 1)
    return -(counts + r * (jnp.log(r) - log) + y * (eta - log)).mean()


def gaussian_process(p, x, i, j):
    h = x[0] * jnp.exp(p[0])
    apart = ((h[:, None] - h) ** 2).sum(2)
    kernel = jnp.exp(apart * -0.5) + jnp.eye(100, dtype=jnp.float32) * (jnp.exp(p[1]) + 0.1)
    fit = (jnp.linalg.solve(kernel, x[1]) * x[1]).sum() * 0.5
    return fit + jnp.log(jnp.diagonal(jnp.linalg.cholesky(kernel))).sum()


def kernel_density(p, x, i, j):
    apart = (x[0] - p[0]) / jnp.exp(p[1])
    return -(logsumexp(apart**2 * -0.5, 1) - p[1]).mean()


def survival(p, x, i, j):
    hazard = sigmoid(x[0] @ p[0])
    density = jnp.cumprod(1 - hazard, 1) * hazard
    return -jnp.log(jnp.take_along_axis(density + 1e-6, i[:, None], axis=1)).mean()


def laplace_equation(p, x, i, j):
    def u(x):
        return jnp.tanh(x @ p[0] + p[1]) @ p[2]

    def second(axis):
        return jax.grad(lambda x: jax.grad(lambda x: u(x).sum())(x)[:, axis].sum())(x[0])[:, axis]

    return ((second(0) + second(1) + jnp.sin(u(x[0]))) ** 2).mean()


def total_variation(p, x, i, j):
    across, down = p[0][:, :, 1:] - p[0][:, :, :-1], p[0][:, 1:] - p[0][:, :-1]
    return ((p[0] - x[0]) ** 2).mean() + jnp.sqrt(across**2 + 1e-4).mean() + jnp.sqrt(down**2 + 1e-4).mean()


FLAT = (100_000,)
NONE = np.zeros(0, np.int32)

# Name, shapes and scales of parameters and of inputs, two lists of indices, and the loss.
WORKLOADS = [
    ("gelu", [(FLAT, 3)], [], NONE, NONE, lambda p, x, i, j: gelu(p[0], approximate=False).mean()),
    ("functions", [(FLAT, 3)], [], NONE, NONE, lambda p, x, i, j: (jnp.sin(p[0]) * erf(p[0]) + silu(p[0])).mean()),
    ("log-add-exp", [(FLAT, 3), (FLAT, 3)], [], NONE, NONE, lambda p, x, i, j: (jnp.logaddexp(p[0], p[1]) * mish(p[0])).mean()),
    ("rows-standardised", [((1000, 1000), 1)], [((1000,), 1)], NONE, NONE, rows_standardised),
    ("row-maxima", [((1000, 1000), 1)], [((1000,), 1)], NONE, NONE, lambda p, x, i, j: (p[0].max(1) * x[0]).sum()),
    ("softmax-axis-0", [((1000, 300), 2)], [((1000, 300), 1)], NONE, NONE, lambda p, x, i, j: (softmax(p[0], 0) * x[0]).sum()),
    ("columns-and-rows", [((2000, 1), 1), ((300,), 1)], [((2000, 300), 1)], NONE, NONE, lambda p, x, i, j: relu((x[0] - p[0]) * p[1]).mean()),
    ("embedding", [((10_000, 64), 1)], [((256, 64), 1)], below(7, 256, 10_000), NONE, lambda p, x, i, j: jnp.tanh((p[0][i] * x[0]).sum(1)).sum()),
    ("layer-norm-gelu", [((256, 256), 0.1), ((256,), 0.1)], [((512, 256), 1)], NONE, NONE,
     lambda p, x, i, j: (normalised(gelu(x[0] @ p[0] + p[1], approximate=False)) ** 2).mean() + (p[1] ** 2).sum()),
    ("transformer-block", [((64, 192), 0.2), ((64, 64), 0.2), ((64, 256), 0.2), ((256, 64), 0.2)], [((4, 32, 64), 1), ((4, 32, 64), 1)], NONE, NONE, transformer_block),
    ("graph-convolution", [((32, 32), 0.3), ((32, 16), 0.3)], [((200, 200), 1), ((200, 32), 1), ((200, 16), 1)], NONE, NONE, graph_convolution),
    ("ranking", [((20,), 1)], [((300, 20), 1), ((300,), 1)], NONE, NONE, ranking),
    ("contrastive", [((64, 64), 0.2)], [((128, 64), 1), ((128, 64), 1)], np.arange(128, dtype=np.int32), NONE, contrastive),
    ("ordinal", [((10,), 0.5), ((5,), 1)], [((1000, 10), 1)], below(9, 1000, 6), NONE, ordinal),
    ("mixture", [((10, 8), 1), ((10, 8), 0.3), ((10,), 0.3)], [((1000, 1, 8), 2)], NONE, NONE, mixture),
    ("n-body", [((128, 3), 1)], [((128,), 1)], NONE, NONE, n_body),
    ("short-rows", [((25_000, 4), 1)], [((25_000, 4), 1)], NONE, NONE, short_rows),
    ("path-average", [((250, 400), 0.1)], [], NONE, NONE, lambda p, x, i, j: softplus(jnp.exp(jnp.cumsum(p[0], 0)).mean(0) - 1).mean()),
    ("batch-norm-4d", [((1, 16, 1, 1), 1), ((1, 16, 1, 1), 1)], [((64, 16, 8, 8), 1)], NONE, NONE, batch_norm_4d),
    ("messages", [((32, 32), 0.3)], [((500, 32), 1), ((500, 32), 1)], below(11, 4000, 500), below(12, 4000, 500), messages),
    ("attention-mask", [((4, 4, 64, 16), 1)] * 3, [((64, 64), 1)], NONE, NONE, attention_mask),
    ("graph-attention", [((32, 16), 0.3), ((16,), 0.3), ((16,), 0.3)], [((500, 32), 1), ((500, 16), 1)], below(11, 4000, 500), below(12, 4000, 500), graph_attention),
    ("negative-binomial", [((20,), 0.3), ((1,), 0.5)], [((5000, 20), 1), ((5000,), 4)], NONE, NONE, negative_binomial),
    ("gaussian-process", [((1,), 0.3), ((1,), 0.3)], [((100, 3), 1), ((100,), 1), ((100, 100), 1)], NONE, NONE, gaussian_process),
    ("kernel-density", [((200,), 1), ((1,), 0.3)], [((1000, 1), 1)], NONE, NONE, kernel_density),
    ("survival", [((12, 24), 0.3)], [((1000, 12), 1)], below(9, 1000, 24), NONE, survival),
    ("laplace-equation", [((2, 32), 0.7), ((32,), 0.7), ((32,), 0.7)], [((500, 2), 1)], NONE, NONE, laplace_equation),
    ("total-variation", [((3, 128, 128), 1)], [((3, 128, 128), 1)], NONE, NONE, total_variation),
]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    directory, seconds = Path(sys.argv[1]), float(os.environ.get("PEERS_SECONDS", "0.5"))
    lines = [line.split("\t") for line in Path(sys.argv[2]).read_text().splitlines()]
    ours = {name: (float(replay), float(eager)) for kind, name, replay, eager in lines if kind == "ours"}
    print(f"{'workload':20}{'replay':>10}{'eager':>10}{'JAX call':>10}{'JAX loop':>10}{'/call':>8}{'/loop':>8}")
    ratios = []
    for name, params, inputs, i, j, loss in WORKLOADS:
        if name not in ours:
            continue
        x = [jnp.array(numbers(101 + k, shape, scale)) for k, (shape, scale) in enumerate(inputs)]
        i, j = jnp.array(i), jnp.array(j)

        def update(p, x, i, j, loss=loss):
            value, grads = jax.value_and_grad(loss)(p, x, i, j)
            return [p - RATE * g for p, g in zip(p, grads)], value

        # With the sum of the losses, which would not be computed otherwise where the gradients do not need them.
        def loop(p, x, i, j, update=update):
            def one(_, carry):
                p, value = update(carry[0], x, i, j)
                return p, carry[1] + value

            return jax.lax.fori_loop(0, STEPS_OF_A_LOOP, one, (p, jnp.float32(0)))

        start = [jnp.array(numbers(1 + k, shape, scale)) for k, (shape, scale) in enumerate(params)]
        step, p = jax.jit(update), start
        losses = []
        for _ in range(COMPARED):
            p, value = step(p, x, i, j)
            losses.append(float(value))
        got = np.concatenate([np.array(losses, np.float32), *(np.asarray(p).ravel() for p in p)])
        want = np.fromfile(directory / name, "<f4")
        error = np.abs(got - want) / (1e-2 + np.abs(want)) if got.shape == want.shape else np.array(np.inf)
        if not error.max() <= TOLERANCE:
            print(f"{name:20}wrong: {error.max():.1e} off")
            continue
        step, many = jax.jit(update, donate_argnums=0), jax.jit(loop, donate_argnums=0)
        p = [jnp.array(p) for p in start]

        def call():
            nonlocal p
            p, value = step(p, x, i, j)
            return value

        def calls():
            nonlocal p
            p, value = many(p, x, i, j)
            return value

        called = median(call, jax.block_until_ready, seconds)
        looped = median(calls, jax.block_until_ready, seconds) / STEPS_OF_A_LOOP
        replay, eager = ours[name]
        ratios.append((replay / called, replay / looped))
        print(f"{name:20}{replay:10.1f}{eager:10.1f}{called:10.1f}{looped:10.1f}{replay / called:8.2f}{replay / looped:8.2f}", flush=True)
    means = np.exp(np.log(ratios).mean(0)) if ratios else (float("nan"),) * 2
    print(f"{'geometric mean':60}{means[0]:8.2f}{means[1]:8.2f}")


if __name__ == "__main__":
    main()
