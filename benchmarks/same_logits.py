"""Every network that `keras.applications` has, beside its reference: the same logits, at full size.

    python benchmarks/same_logits.py

writes benchmarks/same_logits.md and fails where an output differs. The reference gets random
weights that matter (tests/parity.py says which), ours get the same. The last column shows that the
comparison can fail: what one small mistake does, put into the reference on purpose. `--networks`
takes a few only and prints their rows; the tests compare small ones in every run.
"""

import argparse
import gc
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from cnncourse import architectures
from cnncourse.architectures.pretrained import ALPHAS, REFERENCES

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import parity  # noqa: E402

ODD = {"inception": (125, 107), "xception": (91, 75)}  # these take no less than 75 and 71
WRONG = 10 * parity.TOLERANCE  # a mistake must be at least so far off
NETWORKS = {  # name in the table: (name, arguments)
    f"{name}, alpha {alpha}" if name in ALPHAS else name: (name, {"alpha": alpha} if alpha else {})
    for name in REFERENCES
    for alpha in ALPHAS.get(name, [None])
}


def pair(name, arguments, shape, include_top):
    """Return ours and the reference with the same weights, which matter, and logits."""
    arguments = {
        "input_shape": (*shape, 3),
        "include_top": include_top,
        "weights": None,
        "classifier_activation": None,
        **arguments,
    }
    reference = getattr(keras.applications, REFERENCES[name][0])(**arguments)
    parity.randomise(reference, shape)
    ours = architectures.build(name, **arguments)
    architectures.copy_weights(reference, ours)
    assert ours.count_params() == reference.count_params()
    assert parity.settings(ours) == parity.settings(reference)
    return ours, reference


def small_mistake(name, config):
    """Double every epsilon; in VGG, which has none, leave out the first ReLU."""
    if "epsilon" in config:
        config["epsilon"] *= 2
    if name == "block1_conv1" and config.get("activation"):
        config["activation"] = "linear"


def compared(name, arguments):
    """Return parameters, the sides, and the errors; the last with the mistake."""
    side = architectures.build(name).input_shape[1]
    odd = next((sides for kind, sides in ODD.items() if name.startswith(kind)), (61, 47))
    errors = []
    for sides in ((side, side), odd):
        for include_top in (True, False):
            ours, reference = pair(name, arguments, sides, include_top)
            errors.append(parity.error(ours, reference, parity.images(*sides, seed=5)))
            if not errors[1:]:
                parameters = ours.count_params()
    wrong = parity.edited(reference, small_mistake)
    return parameters, side, odd, [*errors, parity.error(ours, wrong, parity.images(*odd, seed=5))]


def main(names):
    rows, failed = [], []
    for label in names:
        parameters, side, odd, errors = compared(*NETWORKS[label])
        cells = [f"{error:.1e}" for error in errors]
        cells = [label, f"{parameters:,}", f"{side} × {side}", *cells[:2], f"{odd[0]} × {odd[1]}"]
        cells += [f"{error:.1e}" for error in errors[2:]]
        rows.append(f"| {' | '.join(cells)} |")
        print(rows[-1], flush=True)
        if not (max(errors[:4]) < parity.TOLERANCE and errors[4] > WRONG):
            failed.append(label)
        keras.backend.clear_session()
        gc.collect()
    if failed:
        return f"not the same, or the mistake went unseen: {'; '.join(failed)}"
    if set(names) == set(NETWORKS):
        write_table(rows)
    return 0


def write_table(rows):
    from scratch import machine

    lines = [
        "# The same logits",
        "",
        "Written by `python benchmarks/same_logits.py`: our networks and `keras.applications` with",
        "the same random weights (seed 0) and 2 images (seed 5). Error: the largest difference of",
        "the outputs relative to the largest output",
        f"(goal < {parity.TOLERANCE:.0e}), of logits and, without top, of maps. Names, shapes,",
        "strides, epsilons and momenta of all layers are the same, too. The mistake, which must be",
        "seen in the last maps: every epsilon doubled; in VGG, which has none, the first ReLU left",
        "out.",
        "",
        "| network | parameters | native side | logits | maps | odd sides | logits | maps |"
        " maps with the mistake |",
        "|---|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        *(f"* {line}" for line in machine()),
    ]
    (ROOT / "benchmarks" / "same_logits.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    sys.exit(main(parser.parse_args().networks))
