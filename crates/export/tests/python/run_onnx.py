"""Runs each file of ONNX in a folder with the numbers in `NAME.BATCH.in`, and leaves `NAME.BATCH.out`: a line of sizes, a line of numbers."""

import ast
import pathlib
import sys

import numpy
import onnx
import onnxruntime

onnxruntime.set_default_logger_severity(3)
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.onnx")):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (port,) = session.get_inputs()
    kind = {"tensor(double)": numpy.float64, "tensor(float)": numpy.float32}[port.type]
    for numbers in sorted(path.parent.glob(path.stem + ".*.in")):
        shape, values = numbers.read_text().splitlines()
        x = numpy.array(values.split(), dtype=kind).reshape(ast.literal_eval(shape))
        (y,) = session.run(None, {port.name: x})
        text = f"{list(y.shape)}\n{' '.join(repr(float(v)) for v in y.ravel())}\n"
        numbers.with_suffix(".out").write_text(text)
