"""Execute notebooks in place and store them clean: outputs yes, traces of this machine no.

python tools/run_notebooks.py chapters/02_convolution.ipynb …
"""

import argparse
import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
KEPT_CELL_METADATA = ("nbgrader", "tags", "mystnb")
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def clean(nb: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Remove what changes from run to run, and widget views that no stored kernel could fill.

    Without its kernel a stored widget view shows an error; the HTML beside it, a picture with
    alternative text that the book turns into a live demo, is what a reader should meet.
    """
    nb.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in nb.cells:
        cell.metadata = {k: v for k, v in cell.metadata.items() if k in KEPT_CELL_METADATA}
        if "outputs" in cell:
            cell.outputs = [o for o in cell.outputs if not _only_a_widget(o)]
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
            if "metadata" in output:
                output.metadata = {}
        if "outputs" in cell:
            cell.outputs = _join_streams(cell.outputs)
    return nb


def _only_a_widget(output):
    """Tell whether an output is a widget's view with nothing to read beside it but its repr."""
    return set(output.get("data", {})) == {WIDGET_VIEW, "text/plain"}


def _join_streams(outputs):
    """Join neighbouring pieces of one stream: where they split depends on timing."""
    joined = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def run(path: Path) -> None:
    """Execute one notebook in its own folder, on this machine's embedded data, and store it."""
    nb = nbformat.read(path, as_version=4)
    NotebookClient(
        nb,
        timeout=300,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    nbformat.validate(nb)
    nbformat.write(clean(nb), path)
    print(f"{path}: {len(nb.cells)} cells, {path.stat().st_size / 1000:.0f} kB")


def main() -> None:
    """Run every notebook named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="+", type=Path)
    arguments = parser.parse_args()
    os.environ.pop("CNNCOURSE_DATA", None)
    os.environ["CNNCOURSE_PROFILE"] = "quick"
    for path in arguments.notebooks:
        run(path.resolve())


if __name__ == "__main__":
    main()
