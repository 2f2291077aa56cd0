"""The command line: nothing but wiring. What a command needs is imported when it runs."""

from pathlib import Path

import click
from cnncourse import __version__

FOLDER = click.Path(file_okay=False, path_type=Path)


class _Commands(click.Group):
    """A group whose commands end with one line, not a traceback, when input or system is wrong."""

    def invoke(self, context):
        try:
            return super().invoke(context)
        except (OSError, ValueError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cnncourse")
def main():
    """A course on convolutional neural networks, in notebooks.

    Start with `cnncourse lab`. If something does not work, ask `cnncourse doctor`.
    """


@main.command(
    context_settings={"ignore_unknown_options": True},
    options_metavar="",
    short_help="Open the course in JupyterLab.",
)
@click.argument("arguments", metavar="[DIR] [JUPYTERLAB OPTIONS]...", nargs=-1)
def lab(arguments):
    """Open the course in JupyterLab, at the first notebook.

    In a checkout of the course DIR is the checkout. Elsewhere the notebooks are laid out in DIR
    first, by default in ./cnncourse-notebooks. A file that you changed is never overwritten: a
    newer version of it is laid beside it, as NAME.new.ipynb.

    Everything after DIR goes to `jupyter lab`. On a server:

        cnncourse lab . --no-browser --port 9999
    """
    from cnncourse import lab as course

    directory = None
    if arguments and not arguments[0].startswith("-"):
        directory, *arguments = arguments
        directory = Path(directory)
    course.serve(course.workspace(directory), tuple(arguments))


@main.command(short_help="Check this machine, with remedies.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings for a program to read.")
@click.pass_context
def doctor(context, as_json):
    """Check this machine: one line each, and a remedy where something is wrong.

    Each line starts with ok, warn or fail. The exit status is 1 if anything failed; a warning
    names something that the course does without.
    """
    from cnncourse import doctor as course

    checks = course.diagnose()
    click.echo(course.report_json(checks) if as_json else course.report(checks))
    context.exit(not course.healthy(checks))


@main.group(short_help="Install or remove the GPU kernel.")
def kernel():
    """Install or remove the Jupyter kernel "cnncourse (GPU)".

    It starts the same Python with settings for a GPU: memory is taken as needed rather than all
    at once, the Keras backend is fixed, and XLA gets those flags that it starts with. On a machine
    without a GPU it runs on the CPU, and the first line of each notebook says so.
    """


@kernel.command()
def install():
    """Install the kernel into this Python's environment, or refresh it."""
    from cnncourse import kernel as course

    click.echo(course.install())


@kernel.command()
def remove():
    """Remove the kernel from this Python's environment."""
    from cnncourse import kernel as course

    click.echo(course.remove())


@main.group(short_help="Fill and check a local mirror of the data sets.")
def data():
    """List, fetch and verify the data sets.

    A mirror is a folder with all that the course downloads, for machines without internet. Fill it
    on a machine that has one, carry it over, and name it there in the variable CNNCOURSE_DATA.
    """


@data.command("list")
def data_list():
    """List the data sets: size, licence, and where each would come from."""
    from cnncourse.datasets import mirror as course

    click.echo(course.table())


@data.command(short_help="Download data sets into a mirror.")
@click.argument("names", nargs=-1)
@click.option("--to", type=FOLDER, help="The mirror.  [default: $CNNCOURSE_DATA]")
def fetch(names, to):
    """Download data sets into a mirror: NAMES, or all but the large flowers.

    Files that are there and whole are skipped, and a download that was cut goes on where it
    stopped, if the server allows that: an interrupted command can simply be given again.
    """
    from cnncourse.datasets import mirror as course

    root = course.folder(to, "--to")
    names = names or course.BY_DEFAULT
    for name in names:
        course.info_of(name)  # a wrong name is refused before anything is downloaded
    for name in names:
        course.fetch(name, root)
        click.echo(f"{name}: complete in {root}")


@data.command(short_help="Check every file of a mirror.")
@click.argument("names", nargs=-1)
@click.option("--in", "root", type=FOLDER, help="The mirror.  [default: $CNNCOURSE_DATA]")
@click.pass_context
def verify(context, names, root):
    """Compare every file of a mirror with its hash: of NAMES, or of all data sets in it.

    A folder of flowers without a list of hashes is read to the end, and said to have none.
    The exit status is 1 if something is missing or damaged.
    """
    from cnncourse.datasets import mirror as course

    report, good = course.verify(course.folder(root, "--in"), names)
    click.echo(report)
    context.exit(not good)


@main.command()
@click.option("--check", is_flag=True, help="Write nothing; say what is out of date, exit with 1.")
@click.option("--source", type=FOLDER, help="Folder of the solutions.  [default: solutions/]")
@click.option("--out", type=FOLDER, help="Folder for the exercises.  [default: exercises/]")
@click.option("--nbgrader", type=FOLDER, help="Write a course directory for nbgrader, only.")
@click.pass_context
def build(context, check, source, out, nbgrader):
    """Make the exercises from the solutions.

    Each solutions/NN_topic.ipynb gives exercises/NN_topic.ipynb, what a student gets, and
    exercises/keys/NN_topic.json, what the checks compare with.
    """
    from cnncourse.grading import build as course

    if nbgrader:
        if check or out:
            raise click.UsageError("--nbgrader goes with --source only")
        from cnncourse.grading import nbgrader_export

        for path in nbgrader_export.export(nbgrader, source):
            click.echo(path)
        return
    if not check:
        for path in course.build(source, out):
            click.echo(path)
        return
    problems = course.check(source, out)
    click.echo("\n".join(problems) or "The exercises are up to date.")
    context.exit(bool(problems))


@main.command(short_help="Grade a folder of submissions.")
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--out", type=FOLDER, help="Folder for the results.  [default: grades]")
@click.option("--assignment", "only", multiple=True, help="Grade this one only; may be repeated.")
@click.option("--source", type=FOLDER, help="Folder of the solutions.  [default: solutions/]")
@click.option("--resume", is_flag=True, help="Keep what is graded already and unchanged.")
@click.option("-j", "--jobs", type=click.IntRange(1), help="At a time.  [default: all cores]")
@click.option("--timeout", type=click.FloatRange(0.1), help="Seconds per question.  [default: 10]")
@click.option("--memory", type=click.IntRange(64), help="MiB per submission.  [default: 2048]")
@click.option("--seed", default="", help="Of the secret inputs.  [default: a new one]")
@click.option("--json", "as_json", is_flag=True, help="Print results.json, and nothing else.")
@click.option("--gradescope", is_flag=True, help="Write Gradescope's results.json, too.")
@click.option("--scheduler", default="", help="Let a Dask cluster grade: tcp://HOST:PORT.")
@click.option("--unsafe", is_flag=True, help="Do without the sandbox. Only for code you trust.")
@click.pass_context
def grade(context, **options):
    """Grade DIR: a folder of notebooks, a folder of students' folders, a zip, or one notebook.

    Nobody's code can read the answers, touch another submission or outlive its own. OUT gets
    grades.csv, results.json (for instructors: the secret seed is in it) and a page of feedback for
    each submission. With --json and no --out, nothing is written.

    Exit status: 0 if every submission was graded, 1 if one could not be (its row says why), 2 if
    there was nothing to grade or an option was wrong, 3 if this machine has no sandbox, 130 if you
    interrupted it; then --resume goes on.
    """
    from cnncourse.grader import command

    context.exit(command.run(**options))


@main.command()
def progress():
    """Show which exercises you have solved on this machine."""
    from cnncourse.grading import progress as course

    click.echo(course.summary())
