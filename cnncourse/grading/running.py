"""Which cell is running: its source and a number of its own, with or without a history."""

source = ""
number = 0


def watch(shell) -> None:
    """Ask IPython to tell of every cell before it runs it; asking twice does no harm."""
    shell.events.register("pre_run_cell", _begin)


def _begin(info) -> None:
    global source, number
    source, number = info.raw_cell, number + 1
