"""Compare recipes: one number from one run says little, so run each with several seeds."""

import operator
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cnncourse.training import scores


@dataclass(frozen=True)
class Comparison:
    """The scores of recipes: {recipe: {seed: score}}."""

    scores: dict

    def mean(self, recipe):
        """Return the mean score of a recipe."""
        return statistics.fmean(self.scores[recipe].values())

    def spread(self, recipe):
        """Return the standard deviation of a recipe's scores (n − 1); None for a single one."""
        values = list(self.scores[recipe].values())
        with np.errstate(invalid="ignore"):  # a run that diverged has no number as its score
            return float(np.std(values, ddof=1)) if len(values) > 1 else None

    def table(self):
        """Return a Markdown table: mean, spread, number of seeds and every score."""
        lines = ["| recipe | mean | spread | seeds | scores |", "|---|---|---|---|---|"]
        for recipe, by_seed in self.scores.items():
            spread = self.spread(recipe)
            shown = "–" if spread is None else f"{spread:.4f}"
            each = ", ".join(f"{score:.4f}" for score in by_seed.values())
            lines.append(
                f"| {recipe} | {self.mean(recipe):.4f} | {shown} | {len(by_seed)} | {each} |"
            )
        return "\n".join(lines)

    def __str__(self):
        """Show the table."""
        return self.table()


def compare(recipes, seeds=(0, 1, 2), path=None):
    """Run every recipe with every seed and return the scores.

    The seeds go round: all recipes with the first seed come before any with the second, so an
    interrupted comparison is a fair one with fewer seeds. Before each run Keras is cleared and
    everything is seeded.

    Args:
        recipes: {name: function of the seed that builds, trains, and returns a score}.
        seeds: whole numbers, all different.
        path: a file of JSON lines to which each score is added as soon as it is there. Runs that
            it already holds are not run again: call `compare` again to go on after an
            interruption. A recipe is known by its name only; rename it when you change it.

    Returns:
        A `Comparison`.

    Raises:
        ValueError: if there is nothing to run, a seed is not accepted or comes twice, the folder
            of the file does not exist, or the file holds other things.
    """
    import keras

    if not isinstance(recipes, dict) or not recipes:
        raise ValueError(f"recipes is {recipes!r}; accepted: {{name: function of a seed}}")
    seeds = _whole(seeds)
    if path and not Path(path).parent.is_dir():
        raise ValueError(f"path is {str(path)!r}; accepted: a file in an existing folder")
    kept = scores.read(Path(path)) if path else []
    done = {(run["recipe"], run["seed"]): float(run["score"]) for run in kept}
    for seed in seeds:
        for name, run in recipes.items():
            if (name, seed) in done:
                continue
            keras.backend.clear_session()
            keras.utils.set_random_seed(seed)
            start = time.perf_counter()
            done[name, seed] = float(run(seed))
            if path:
                seconds = round(time.perf_counter() - start, 1)
                row = {"recipe": name, "seed": seed, "score": done[name, seed], "seconds": seconds}
                scores.append(Path(path), row)
    return Comparison({name: {seed: done[name, seed] for seed in seeds} for name in recipes})


def _whole(seeds):
    """Return the seeds as a list of int."""
    try:
        numbers = [operator.index(seed) for seed in seeds]
    except TypeError:
        numbers = []
    if not numbers or len(set(numbers)) != len(numbers):
        raise ValueError(f"seeds is {seeds!r}; accepted: whole numbers, at least one, no one twice")
    return numbers
