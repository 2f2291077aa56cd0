"""How fast the NumPy convolution is, beside its loops and beside TensorFlow.

    python benchmarks/scratch.py

writes benchmarks/scratch.md and fails where a goal is missed. Ratios are what counts: both sides
of a ratio are timed in turns in one process, and the best time of each is taken. Run it on a quiet
machine: other work disturbs the two sides unequally. The rows for one thread are in processor time,
which other work hardly changes.
"""

import os
import platform
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
import threadpoolctl
from cnncourse import scratch
from processor import processor

GOALS = {"faster than loops": 100, "slower than TensorFlow": 2.5, "extra memory": 2}


def best_times(functions, rounds, clock=time.perf_counter):
    """Return the least seconds of each function; they take turns of three calls.

    The first call of a turn does not count. Both libraries keep threads of their own, and right
    after a change of turns `conv2d` was seen to take 11 ms instead of 8: presumably the other
    library's threads still wait busily for work.
    """
    best = [float("inf")] * len(functions)
    for _ in range(rounds):
        for i, function in enumerate(functions):
            function()
            for _ in range(2):
                start = clock()
                function()
                best[i] = min(best[i], clock() - start)
    return best


def peak_bytes(function):
    """Return the most memory that NumPy holds at once during a call, the result included."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def windows_and_einsum(x, w):
    """The one-liner that comes to mind first, for comparison ("valid" only)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[:2], axis=(1, 2))
    return np.einsum("nijcuv,uvck->nijk", windows, w, optimize=True)


def against_loops():
    x, w = normal(2, 70, 120, 3), normal(7, 7, 3, 32)
    loops, fast = best_times(
        [lambda: scratch.conv2d_loops(x, w), lambda: scratch.conv2d(x, w)], rounds=1
    )
    fast = min(fast, *best_times([lambda: scratch.conv2d(x, w)], rounds=30))
    return loops, fast


def calls(padding):
    """Return the three ways to compute the layer that TensorFlow's time is the measure for."""
    x, w = normal(8, 64, 64, 32), normal(3, 3, 32, 64)
    there = tf.constant(x), tf.constant(w)
    return [
        lambda: scratch.conv2d(x, w, padding=padding),
        lambda: tf.nn.conv2d(*there, 1, padding.upper()).numpy(),
        lambda: windows_and_einsum(x, w),
    ]


def against_tensorflow(padding):
    ours, theirs, einsum = calls(padding)
    np.testing.assert_allclose(ours(), theirs(), rtol=1e-4, atol=1e-4)
    times = best_times([ours, theirs, einsum], rounds=60)
    return times, [peak_bytes(ours), peak_bytes(einsum)], ours().nbytes


def one_thread():
    """Time `conv2d` and TensorFlow in a process of its own, one thread each, in processor time."""
    done = subprocess.run(
        [sys.executable, __file__, "--one-thread"],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(seconds) for seconds in done.stdout.split()]


def machine():
    """Describe processor, versions and the matrix kernels in use, without a date."""
    blas = np.show_config("dicts")["Build Dependencies"]["blas"]
    pools = [p for p in threadpoolctl.threadpool_info() if p["user_api"] == "blas"]
    kernels = f"{pools[0]['architecture']}, {pools[0]['num_threads']} threads"
    simd = np.show_config("dicts")["SIMD Extensions"]["found"]
    return [
        f"Machine: {processor()}, {os.cpu_count()} cores, {platform.system()}.",
        f"Versions: Python {platform.python_version()}, NumPy {np.__version__}, "
        f"TensorFlow {tf.__version__}.",
        f"`np.show_config()`: {blas['name']} {blas['version']}, SIMD found: {', '.join(simd)}.",
        f"Matrix kernels that it chose for this processor: {kernels}.",
    ]


def main():
    load = os.getloadavg()[0]
    loops, fast = against_loops()
    rows = [
        ("(2, 70, 120, 3) → 32 maps 7×7, valid", "`conv2d_loops`", loops, "", ""),
        ("", "`conv2d`", fast, "", f"**{loops / fast:.0f}×** faster than the loops (goal ≥ 100)"),
    ]
    met = [loops / fast >= GOALS["faster than loops"]]
    for padding in ("same", "valid"):
        (ours, theirs, einsum), (peak, einsum_peak), output = against_tensorflow(padding)
        slower, extra = ours / theirs, (peak - output) / output
        case = f"(8, 64, 64, 32) → 64 maps 3×3, {padding}"
        verdict = f"**{slower:.2f}×** TensorFlow (goal ≤ 2.5), {extra:.2f}× the output (goal ≤ 2)"
        rows += [
            (case, "`tf.nn.conv2d`", theirs, "", ""),
            ("", "`conv2d`", ours, f"{peak / 1e6:.1f} MB", verdict),
        ]
        if padding == "valid":
            rows.append(("", "windows + einsum", einsum, f"{einsum_peak / 1e6:.1f} MB", ""))
        met += [slower <= GOALS["slower than TensorFlow"], extra <= GOALS["extra memory"]]
    ours, theirs = one_thread()
    rows += [
        ("the same layer, same, one thread", "`tf.nn.conv2d`", theirs, "", ""),
        ("", "`conv2d`", ours, "", f"{ours / theirs:.2f}× TensorFlow, in processor time"),
    ]
    lines = [
        "# Convolution in NumPy",
        "",
        "Written by `python benchmarks/scratch.py`: float32, best time of many, both sides of a",
        "ratio in turns in one process. Memory: the most that NumPy holds during the call",
        "(`tracemalloc`), the output included; the ratio is what comes on top of the output.",
        "",
        "| layer | function | time | peak memory | result |",
        "|---|---|---|---|---|",
        *(f"| {a} | {b} | {t * 1e3:,.2f} ms | {m} | {r} |" for a, b, t, m, r in rows),
        "",
        *(f"* {line}" for line in machine()),
        f"* Load of the machine before the run (0 = quiet): {load:.1f}.",
    ]
    Path(__file__).with_suffix(".md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))
    return 0 if all(met) else "a goal was missed"


if __name__ == "__main__":
    if "--one-thread" in sys.argv:
        print(*best_times(calls("same")[:2], rounds=60, clock=time.process_time))
    else:
        sys.exit(main())
