"""Makes the files beside it with NumPy, or checks files that `nn` wrote: `make.py` and `make.py check FOLDER`.

Every array is [[0, 1, 2], [3, 4, 5]] in its type, with -1 for 1 where the type has signs; `true` holds where it is odd.
"""
import gzip
import io
import struct
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
TYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1"]


def numbers(kind):
    x = np.arange(6).reshape(2, 3)
    return (x if kind[0] == "u" else np.where(x == 1, -1, x)).astype(kind)


def arrays():
    little = {kind: numbers(kind).astype("<" + kind) for kind in TYPES}
    big = {kind + "_big": numbers(kind).astype(">" + kind) for kind in TYPES}
    more = {
        "true": np.arange(6).reshape(2, 3) % 2 == 1,
        "fortran": np.asfortranarray(numbers("f8")),
        "scalar": np.float32(0.5),
        "empty": np.zeros((0, 3)),
        "deep": np.asfortranarray(np.arange(24, dtype="i4").reshape(2, 3, 4)),
    }
    return {**little, **big, **more}


def version(array, number):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=(number, 0))
    return file.getvalue()


def idx(array, code):
    head = struct.pack(">HBB", 0, code, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def make():
    np.savez_compressed(HERE / "deflated.npz", **arrays())
    np.savez(HERE / "stored.npz", **{name: arrays()[name] for name in ["f8", "u1", "fortran"]})
    for number in [1, 2, 3]:
        (HERE / f"version{number}.npy").write_bytes(version(numbers("f4"), number))
    np.save(HERE / "fortran.npy", arrays()["deep"])
    np.save(HERE / "records.npy", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]))
    np.save(HERE / "text.npy", np.array(["a", "bc"]))
    for kind, code in [("u1", 8), ("i1", 9), ("i2", 11), ("i4", 12), ("f4", 13), ("f8", 14)]:
        (HERE / f"{kind}.idx").write_bytes(idx(numbers(kind), code))
    (HERE / "u1.idx.gz").write_bytes(gzip.compress(idx(numbers("u1"), 8), mtime=0))


def check(folder):
    for kind in ["f8", "f4", "i8", "i4", "u8", "u1"]:
        want = numbers(kind)
        one, all_ = np.load(folder / f"{kind}.npy"), np.load(folder / "all.npz")
        for found in [one, all_[kind]]:
            assert found.dtype == want.dtype and (found == want).all(), (kind, found)
        assert all_["net/ü"].shape == () and all_["net/ü"] == 0.5 and all_["empty"].shape == (0, 3)
    print("as written")


if __name__ == "__main__":
    check(Path(sys.argv[2])) if sys.argv[1:2] == ["check"] else make()
