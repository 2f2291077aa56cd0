"""The command `cnncourse grade`: from options to an exit status, and what is printed meanwhile."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from cnncourse.grader import gradebook
from cnncourse.grader import run as grading
from cnncourse.grader.limits import MIB, Limits
from cnncourse.grader.sandbox import SandboxError
from cnncourse.grader.spawn import SpawnError


def run(
    directory: Path,
    out: Path | None,
    as_json: bool,
    jobs: int | None,
    timeout: float | None,
    memory: int | None,
    **options: Any,
) -> int:
    """Grade, print what came out, and return the exit status.

    Args:
        directory: folder, zip or notebook.
        out: folder for the results; `grades` by default, but none with `as_json`.
        as_json: print the results for a program, and nothing else on standard output.
        jobs: at a time; as many as there are cores by default.
        timeout: seconds for each question.
        memory: of a submission, in MiB.
        options: the other fields of a request.
    """
    out = out or (None if as_json else Path("grades"))
    if out is None and (options["resume"] or options["gradescope"]):
        raise click.UsageError("--resume and --gradescope need --out, too, when there is --json")
    limits = Limits()
    if timeout:
        limits = replace(limits, question=timeout)
    if memory:
        limits = replace(limits, memory=memory * MIB)
    request = grading.Request(directory, out, jobs=jobs or _cores(), limits=limits, **options)
    prefix = "UNSAFE " if request.unsafe else ""
    try:
        if request.unsafe:
            _complain(f"{prefix}submissions run without a sandbox, as processes of yours")
        book = grading.grade(request, grading.Progress(request.unsafe))
    except (SandboxError, SpawnError) as error:
        _complain(f"{prefix}Error: {error}")
        return grading.NO_SANDBOX
    except (OSError, ValueError) as error:
        _complain(f"{prefix}Error: {error}")
        return grading.USAGE
    except KeyboardInterrupt:
        _complain(f"\n{prefix}Interrupted. What is graded is kept: run it again with --resume.")
        return grading.INTERRUPTED
    if as_json:
        sys.stdout.write(gradebook.results_json(book))
    else:
        for line in grading.summary(book, out):
            click.echo(prefix + line)
    return grading.status(book)


def _complain(text: str) -> None:
    click.echo(text, err=True)


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1
