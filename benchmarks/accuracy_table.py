"""The table of accuracy.py."""

from pathlib import Path

from accuracy_recipes import RECIPES
from cnncourse.training import Comparison

GOALS = {  # mean of the test accuracy
    "course": 0.92,
    "better": 0.94,
    "mnist": 0.996,
    "digits": 0.97,
}


def write_table(rows, path):
    """Write what the runs gave, recipe by recipe, as Markdown."""
    lines = [
        "# Accuracy",
        "",
        "Written by `python benchmarks/accuracy.py` (recipes: benchmarks/accuracy_recipes.py).",
        "Score: share of the whole test set after the last epoch; spread: standard deviation over",
        "seeds. Seconds: training only, per run. Time to 92 %: until the first epoch after which",
        "the network (with averaged weights, if the recipe averages) has 92 % of the test set.",
        "",
        "| recipe | mean | spread | scores (seeds) | goal | epochs | parameters | seconds |"
        " to 92 % |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    machines = {}
    for name in [name for name in RECIPES if any(row["recipe"] == name for row in rows)]:
        own = sorted((row for row in rows if row["recipe"] == name), key=lambda row: row["seed"])
        lines.append(_line(name, own))
        for row in own:
            key = f"{row['machine']}; {row['precision']}"
            machines.setdefault(key, []).append(f"{name} ({row['seed']})")
    lines += ["", *_speed(rows)]
    lines += [f"* {name}: {recipe.says}." for name, recipe in RECIPES.items()]
    lines += [f"* Machine: {key}. Runs: {', '.join(runs)}." for key, runs in machines.items()]
    Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def _line(name, rows):
    scores = Comparison({name: {row["seed"]: row["score"] for row in rows}})
    spread, goal = scores.spread(name), GOALS.get(name)
    each = ", ".join(f"{100 * row['score']:.2f} ({row['seed']})" for row in rows)
    cells = [
        name,
        f"**{100 * scores.mean(name):.2f} %**",
        "–" if spread is None else f"{100 * spread:.2f}",
        each,
        f"≥ {100 * goal:g}" if goal else "",
        str(rows[0]["epochs"]),
        f"{rows[0]['parameters']:,}",
        f"{_mean(rows, 'seconds'):,.0f}",
        f"{_mean(rows, 'seconds to 92 %'):,.0f} s" if _mean(rows, "seconds to 92 %") else "–",
    ]
    return f"| {' | '.join(cells)} |"


def _mean(rows, key):
    """Return the mean over the seeds, None if one has no value."""
    values = [row[key] for row in rows]
    return None if None in values else sum(values) / len(values)


def _speed(rows):
    """Compare the times to 92 % of the two recipes with the same network, on the same machine."""
    own = {n: [row for row in rows if row["recipe"] == n] for n in ("plain", "course")}
    machines = {row["machine"] for name in own for row in own[name]}
    times = [_mean(own[name], "seconds to 92 %") if own[name] else None for name in own]
    if None in times or len(machines) > 1:
        return []
    return [f"* Time to 92 %: course / plain = **{times[1] / times[0]:.2f}** (goal ≤ 0.35)."]
