"""The table of accuracy.py."""

from pathlib import Path
from statistics import stdev

from accuracy_recipes import RECIPES
from cnncourse.training import Comparison

SEEDS = 3  # that a goal needs, at least
GOALS = {  # mean of the test accuracy
    "course": 0.92,
    "better": 0.94,
    "mnist": 0.996,
    "digits": 0.97,
}
SECONDS = {"digits": 30}  # of every training
FASTER = 0.35  # time to 92 % of "course", in times of that of "plain"


def write_table(rows, path, pace=None):
    """Write what the runs gave, recipe by recipe, as Markdown; return the missed goals.

    `pace`: {recipe: seconds of an epoch, several times}, what pace.py measured.
    """
    runs = {name: [row for row in rows if row["recipe"] == name] for name in RECIPES}
    runs = {name: sorted(own, key=lambda row: row["seed"]) for name, own in runs.items() if own}
    goals = [f"{what}: {verdict}." for what, verdict in _goals(runs, pace)]
    machines = {}
    for name, own in runs.items():
        for row in own:
            key = f"{row['machine']}; {row['precision']}"
            machines.setdefault(key, []).append(f"{name} ({row['seed']})")
    lines = [
        "# Accuracy",
        "",
        "Written by `python benchmarks/accuracy.py` (recipes: benchmarks/accuracy_recipes.py).",
        "Score: share of the whole test set after the last epoch; spread: standard deviation over",
        "seeds. The last epoch was decided beforehand, except for plain, which stops where 92 % of",
        "the test set are right: no mean of such scores is given. Against better: mean difference",
        "and its spread, in percentage points, over the seeds in brackets, which both have run",
        "with. Seconds: training only, per run, on the machine as it was that hour. To 92 %: until",
        "the first epoch after which the network (with averaged weights, if the recipe averages)",
        "has 92 % of the test set.",
        "Load: processes that wanted a core when the run began, or last went on (0 = quiet), in",
        "the order of the scores.",
        "",
        "| recipe | mean | spread | scores (seeds) | against better | epochs | parameters"
        " | seconds | to 92 % | load |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(_line(name, runs) for name in runs),
        "",
        *_one_look(runs),
        "## Goals",
        "",
        *(f"* {goal}" for goal in goals),
        "",
        "## Recipes and machines",
        "",
        *(f"* {name}: {recipe.says}." for name, recipe in RECIPES.items()),
        *(f"* Machine: {key}. Runs: {', '.join(names)}." for key, names in machines.items()),
    ]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return [goal for goal in goals if "missed" in goal]


def _line(name, runs):
    rows, scores, race = runs[name], _scores(name, runs), RECIPES[name].race
    spread, to_92 = scores.spread(name), [row["seconds to 92 %"] for row in rows]
    cells = [
        name,
        "–" if race else f"**{100 * scores.mean(name):.2f} %**",
        "–" if race or spread is None else f"{100 * spread:.2f}",
        ", ".join(f"{100 * row['score']:.2f} ({row['seed']})" for row in rows),
        _against_better(name, runs),
        _range([row["epochs"] for row in rows]),
        f"{rows[0]['parameters']:,}",
        f"{_mean([row['seconds'] for row in rows]):,.0f}",
        "–" if None in to_92 else f"{_mean(to_92):,.0f} s",
        ", ".join(str(row.get("load", "–")) for row in rows),
    ]
    return f"| {' | '.join(cells)} |"


def _one_look(runs):
    """Say what the recipes that look more than once reach with one look."""
    lines = []
    for name, rows in runs.items():
        if RECIPES[name].looks != "one":
            one, all_looks = (_mean([row[key] for row in rows]) for key in ("one look", "score"))
            lines.append(f"* {name}: {100 * one:.2f} %, {100 * (one - all_looks):+.2f}.")
    if lines:
        yield "The same trainings with one look at each image, as for the time to 92 %, instead of"
        yield "several whose answers are averaged (mean, and difference in percentage points):"
        yield ""
        yield from lines
        yield ""


def _scores(name, runs):
    return Comparison({name: {row["seed"]: row["score"] for row in runs[name]}})


def _mean(values):
    return sum(values) / len(values)


def _range(values):
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low}–{high}"


def _seeds(rows):
    return [row["seed"] for row in rows]


def _against_better(name, runs):
    """Say what leaving out a part changed, seed by seed."""
    if not name.startswith("better without"):
        return ""
    better = {row["seed"]: row["score"] for row in runs.get("better", [])}
    pairs = [row for row in runs[name] if row["seed"] in better]
    if not pairs:
        return "not comparable: no seed in common"
    changes = [100 * (row["score"] - better[row["seed"]]) for row in pairs]
    spread = f" ± {stdev(changes):.2f}" if len(changes) > 1 else ""
    return f"{_mean(changes):+.2f}{spread} ({', '.join(map(str, _seeds(pairs)))})"


def _goals(runs, pace):
    """Yield what was wanted, and whether it was reached."""
    for name, goal in GOALS.items():
        what = f"{name}, mean accuracy ≥ {100 * goal:g} %"
        if name not in runs:
            yield what, "open, it has not run"
        else:
            mean = _scores(name, runs).mean(name)
            yield what, _judged(mean >= goal, f"{100 * mean:.2f} %", len(runs[name]))
    for name, goal in SECONDS.items():
        if name in runs:
            seconds = max(row["seconds"] for row in runs[name])
            # One run that is too slow is enough to miss it.
            seeds = len(runs[name]) if seconds < goal else SEEDS
            yield (
                f"{name}, every run < {goal} s",
                _judged(seconds < goal, f"{seconds:.1f} s", seeds),
            )
    yield f"time to 92 %, course / plain ≤ {FASTER}", _speed(runs, pace)


def _speed(runs, pace):
    """Compare the times to 92 % of the two recipes with the same network and the same images.

    Epochs are counted in the trainings, their seconds come from pace.py, which times both recipes
    in one run. Where "plain" never gets there, all of its training is the least that it would have
    taken.
    """
    of = {name: {row["seed"]: row for row in runs.get(name, [])} for name in ("plain", "course")}
    shared = sorted(of["plain"].keys() & of["course"].keys())
    plain, course = ([of[name][seed] for seed in shared] for name in ("plain", "course"))
    if not shared:
        return "open, no seed has run with both"
    if never := _never(course):
        return f"not comparable: 92 % was never reached by course ({never})"
    if not pace:
        return "open, benchmarks/pace.py has not run"
    epochs = [_mean([_epochs_to_92(row) for row in rows]) for rows in (course, plain)]
    seconds = [_mean(pace[name]) for name in ("course", "plain")]
    ratio = epochs[0] * seconds[0] / (epochs[1] * seconds[1])
    never = _never(plain)
    how = (
        f"{epochs[0]:.1f} epochs of {seconds[0]:.0f} s against {'more than ' if never else ''}"
        f"{epochs[1]:.1f} of {seconds[1]:.0f} s, seeds {', '.join(map(str, shared))}"
    )
    if not never:
        return _judged(ratio <= FASTER, f"{ratio:.2f} ({how})", len(shared))
    bound = f"less than {ratio:.2f} ({how}; plain never reached 92 % with {never})"
    return _judged(True, bound, len(shared)) if ratio <= FASTER else f"open with {bound}"


def _epochs_to_92(row):
    """Count the epochs until 92 % was reached; all of them, if it never was."""
    return row["epochs"] * (row["seconds to 92 %"] or row["seconds"]) / row["seconds"]


def _never(rows):
    """Name the seeds that did not reach 92 %."""
    return ", ".join(str(row["seed"]) for row in rows if row["seconds to 92 %"] is None)


def _judged(reached, what, seeds):
    """Say whether a goal was reached, and with what; too few seeds leave it open."""
    if seeds < SEEDS:
        return f"open, {seeds} of {SEEDS} seeds have run (so far: {what})"
    return f"{'met' if reached else '**missed**'} with {what}"
