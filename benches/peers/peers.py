"""PyTorch and JAX as peers: `python peers.py torch|jax DIRECTORY`, with the directory that `export` wrote.

The check, the clock and the lines that are printed are those of `common/src/session.rs`.
"""

import importlib.util
import json
import os
import statistics
import sys
import time
from pathlib import Path

SHORTEST = 500e-6  # seconds; below this, the clock and the loop would be a part of what is timed
FEWEST_ROUNDS = 5
TOLERANCE = {"f32": 1e-4, "f64": 1e-9}
MEAN_TOLERANCE = 10  # times a loss's: not everyone sums a million numbers in blocks
ELEMENT_TOLERANCE = 1e-5


class Problem:
    """A net's numbers in one type, as NumPy arrays; parameters are `W₁, b₁, W₂, b₂, …`."""

    def __init__(self, directory, description, dtype):
        self.column = f"{description['name']}/{dtype}"
        self.labels = np.array(description["labels"])
        self.rate = description["rate"]
        self.losses = description["losses"][dtype]
        numbers = read(directory / f"{description['name']}.numbers", dtype)
        sizes = description["sizes"]
        shapes = [(description["batch"], sizes[0])]
        for inputs, outputs in zip(sizes, sizes[1:]):
            shapes += [(inputs, outputs), (outputs,)]
        ends = np.cumsum([np.prod(shape) for shape in shapes])
        parts = np.split(numbers, ends[:-1])
        self.x, *self.params = [part.reshape(shape) for part, shape in zip(parts, shapes)]


def read(path, dtype):
    return np.fromfile(path, "<f8").astype({"f32": np.float32, "f64": np.float64}[dtype])


def median(run, wait, seconds):
    """The median time of one run, in µs, of repeated batches of runs after a warm-up."""

    def batch(runs):
        start = time.perf_counter()
        for _ in range(runs):
            result = run()
        wait(result)
        return time.perf_counter() - start

    start, runs = time.perf_counter(), 1
    while batch(runs) < SHORTEST:
        runs *= 2
    while time.perf_counter() - start < 0.2 * seconds:
        batch(runs)
    start, times = time.perf_counter(), []
    while len(times) < FEWEST_ROUNDS or time.perf_counter() - start < seconds:
        times.append(batch(runs) / runs)
    return 1e6 * statistics.median(times)


class Session:
    """One run of one peer."""

    def __init__(self, peer):
        self.peer = peer
        self.seconds = float(os.environ.get("PEERS_SECONDS", "0.5"))
        self.filter = os.environ.get("PEERS_FILTER", "")

    def train(self, problem, step, wait):
        """`step` takes a step and gives its loss, which `wait` waits for."""
        if self.filter not in problem.column:
            return
        for k, expected in enumerate(problem.losses, 1):
            loss = float(step())
            if not abs(loss - expected) <= TOLERANCE[problem.column[-3:]] * abs(expected):
                return self.print("wrong", problem.column, f"loss {loss} instead of {expected} in step {k}")
        microseconds = self.time(step, wait)
        last = float(step())
        if not np.isfinite(last):
            return self.print("wrong", problem.column, f"a loss of {last} after the last step")
        self.print("time", problem.column, microseconds)

    def gradient(self, x, run, wait):
        """`run` computes the mean of the element-wise formula on all of `x`, and its gradient."""
        dtype = {"float32": "f32", "float64": "f64"}[x.dtype.name]
        column = f"elementwise/{dtype}"
        if self.filter not in column:
            return
        x = x.astype(np.float64)
        sigmoid, tanh, bell = 1 / (1 + np.exp(-x)), np.tanh(x), np.exp(-x * x)
        mean, gradient = run()
        expected = np.mean(sigmoid * tanh + bell)
        if not abs(float(mean) - expected) <= MEAN_TOLERANCE * TOLERANCE[dtype] * abs(expected):
            return self.print("wrong", column, f"a mean of {float(mean)} instead of {expected}")
        slopes = sigmoid * (1 - sigmoid) * tanh + sigmoid * (1 - tanh**2) - 2 * x * bell
        error = np.abs(np.asarray(gradient) * float(x.size) - slopes).max()
        if not error <= TOLERANCE[dtype]:
            return self.print("wrong", column, f"a slope is {error} off")
        self.print("time", column, self.time(run, wait))

    def map(self, x, run, wait):
        """`run` computes the element-wise formula on all of `x`."""
        column = "elementwise forward/f32"
        if self.filter not in column:
            return
        x = x.astype(np.float64)
        expected = np.tanh(x) / (1 + np.exp(-x)) + np.exp(-x * x)
        error = np.abs(np.asarray(run()) - expected).max()
        if not error <= ELEMENT_TOLERANCE:
            return self.print("wrong", column, f"an element is {error} off")
        self.print("time", column, self.time(run, wait))

    def time(self, run, wait):
        return median(run, wait, self.seconds)

    def print(self, kind, column, what):
        print(kind, self.peer, column, what, sep="\t", flush=True)


def run_torch(directory, descriptions):
    import torch
    from torch.nn.functional import cross_entropy

    torch.set_num_threads(1)
    session = Session(f"PyTorch {torch.__version__}, eager")

    def stepper(problem):
        x, labels = torch.from_numpy(problem.x), torch.from_numpy(problem.labels)
        params = [torch.tensor(p, requires_grad=True) for p in problem.params]

        def step():
            o = x
            for l in range(0, len(params), 2):
                z = torch.addmm(params[l + 1], o, params[l])
                o = z.relu() if l + 2 < len(params) else z
            loss = cross_entropy(o, labels)
            grads = torch.autograd.grad(loss, params)
            with torch.no_grad():
                for p, g in zip(params, grads):
                    p.sub_(g, alpha=problem.rate)
            return loss.detach()

        return step

    def wait(_):
        """Nothing: PyTorch on the CPU has computed a result when it gives it."""

    for problem in problems(directory, descriptions):
        session.train(problem, stepper(problem), wait)

    def formula(x):
        return x.sigmoid() * x.tanh() + x.square().neg().exp()

    def mean_and_gradient(x):
        y = formula(x).mean()
        (dx,) = torch.autograd.grad(y, x)
        return y.detach(), dx

    for elements in all_elements(directory):
        x = torch.tensor(elements, requires_grad=True)
        session.gradient(elements, lambda: mean_and_gradient(x), wait)
    elements = read(directory / "elementwise.numbers", "f32")
    x = torch.from_numpy(elements)
    with torch.inference_mode():
        session.map(elements, lambda: formula(x), wait)


def run_jax(directory, descriptions):
    # Before the first import: one thread, no search for accelerators.
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    from jax import numpy as jnp

    jax.config.update("jax_enable_x64", True)
    session = Session(f"JAX {jax.__version__}, jit")

    def mean_loss(params, x, labels):
        o = x
        for l in range(0, len(params), 2):
            z = o @ params[l] + params[l + 1]
            o = jax.nn.relu(z) if l + 2 < len(params) else z
        return -jnp.take_along_axis(jax.nn.log_softmax(o), labels[:, None], axis=1).mean()

    def stepper(problem):
        def update(params, x, labels):
            loss, grads = jax.value_and_grad(mean_loss)(params, x, labels)
            return [p - problem.rate * g for p, g in zip(params, grads)], loss

        update = jax.jit(update, donate_argnums=0)
        params = [jnp.array(p) for p in problem.params]
        x, labels = jnp.array(problem.x), jnp.array(problem.labels)

        def step():
            nonlocal params
            params, loss = update(params, x, labels)
            return loss

        return step

    for problem in problems(directory, descriptions):
        session.train(problem, stepper(problem), jax.block_until_ready)

    def formula(x):
        return jax.nn.sigmoid(x) * jnp.tanh(x) + jnp.exp(-x * x)

    mean_and_gradient = jax.jit(jax.value_and_grad(lambda x: formula(x).mean()))
    for elements in all_elements(directory):
        x = jnp.array(elements)
        session.gradient(elements, lambda: mean_and_gradient(x), jax.block_until_ready)
    elements = read(directory / "elementwise.numbers", "f32")
    x, program = jnp.array(elements), jax.jit(formula)
    session.map(elements, lambda: program(x), jax.block_until_ready)


def problems(directory, descriptions):
    for dtype in ("f32", "f64"):
        for description in descriptions:
            yield Problem(directory, description, dtype)


def all_elements(directory):
    for dtype in ("f32", "f64"):
        yield read(directory / "elementwise.numbers", dtype)


def main():
    peers = {"torch": run_torch, "jax": run_jax}
    if len(sys.argv) != 3 or sys.argv[1] not in peers:
        sys.exit(__doc__)
    directory = Path(sys.argv[2])
    peers[sys.argv[1]](directory, json.loads((directory / "problems.json").read_text()))


if __name__ == "__main__":
    absent = [name for name in ("numpy", *sys.argv[1:2]) if importlib.util.find_spec(name) is None]
    if absent:
        print("missing", sys.argv[1], "", f"not installed: {', '.join(absent)}", sep="\t")
        sys.exit()
    import numpy as np

    main()
