"""Runs models of ONNX in a folder with the columns in `NAME.json`, and prints a line for each row: its numbers, or that it is refused."""

import json
import pathlib
import sys

import numpy
import onnx
import onnxruntime

onnxruntime.set_default_logger_severity(3)
for name in sys.argv[2:]:
    folder = pathlib.Path(sys.argv[1])
    onnx.checker.check_model(onnx.load(folder / f"{name}.onnx"), full_check=True)
    session = onnxruntime.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
    columns = json.loads((folder / f"{name}.json").read_text())
    given = {}
    for port in session.get_inputs():
        kind = {"tensor(double)": numpy.float64, "tensor(string)": object}[port.type]
        given[port.name] = numpy.array(columns[port.name], dtype=kind).reshape(-1, 1)
    if not len(next(iter(given.values()))):
        continue
    outputs = {port.name: value for port, value in zip(session.get_outputs(), session.run(None, given))}
    numbers = outputs["values"] if "values" in outputs else outputs["probabilities"]
    for row, values in enumerate(numbers):
        if numpy.isnan(values).any():
            assert numpy.isnan(values).all() and outputs.get("label", [""] * len(numbers))[row] == ""
            print("refused")
            continue
        if "low" in outputs:
            assert numpy.allclose(outputs["low"][row], values - 10.5) and numpy.allclose(outputs["high"][row], values + 20.25)
        if "label" in outputs:
            known = json.loads(session.get_modelmeta().custom_metadata_map["outputs"])
            assert outputs["label"][row] == known[int(values.argmax())]
        print(" ".join(repr(float(value)) for value in values))
