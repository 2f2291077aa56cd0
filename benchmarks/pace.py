"""How long an epoch takes with the two recipes that race to 92 %, `plain` and `course`.

    python benchmarks/pace.py

writes benchmarks/pace.json. The trainings of accuracy.py run hours or weeks apart, on machines that
others use, too: how many epochs they needed can be compared, their seconds cannot. So the two
networks are trained here in turns, in one run, for a fifth of an epoch each, several times. Run it
on a quiet machine.
"""

import argparse
import json
import os
import statistics
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from accuracy import Clock, machine, prepared
from accuracy_recipes import RECIPES, load

PACE = Path(__file__).resolve().with_suffix(".json")  # accuracy.py reads it
RACE = ("plain", "course")  # the same network, on the same images


def timed(images, labels, part, rounds):
    """Return {recipe: seconds of an epoch, measured on `part` of its images, of each round}."""
    n = len(images) // part
    fits = {}
    for name in RACE:
        network, arguments, _ = prepared(RECIPES[name], images[:n], labels[:n], rounds + 1, 0)
        fits[name] = network, arguments
    seconds = {name: [] for name in RACE}
    for _ in range(rounds + 1):
        for name, (network, arguments) in fits.items():
            log = network.fit(**arguments, callbacks=[Clock()], verbose=0).history
            seconds[name].append(round(part * log["seconds"][0], 1))
    return {name: each[1:] for name, each in seconds.items()}  # the first round also traces


def main(rounds, tiny, output):
    load_before = round(os.getloadavg()[0], 1)
    (images, labels), _ = load(RECIPES["plain"], 0)
    if tiny:
        images, labels = images[:640], labels[:640]
    seconds = timed(images, labels, 5, rounds)
    kept = {"seconds": seconds, "machine": machine(), "load": load_before}
    Path(output).write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    for name, each in seconds.items():
        print(f"{name}: {statistics.mean(each):.1f} s per epoch ({each})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tiny", action="store_true", help="a few images: does it run?")
    parser.add_argument("--output", default=PACE)
    chosen = parser.parse_args()
    if chosen.tiny and Path(chosen.output).resolve() == PACE:
        parser.error("--tiny needs --output: what a few images give is no result")
    main(chosen.rounds, chosen.tiny, chosen.output)
