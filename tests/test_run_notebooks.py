"""`tools/run_notebooks.py` stores outputs without traces of the machine that made them."""

import sys
from pathlib import Path

import nbformat
from nbformat import v4

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
import run_notebooks


def test_clean_keeps_what_matters_and_drops_what_changes():
    outputs = [
        v4.new_output("stream", name="stdout", text="a"),
        v4.new_output("stream", name="stdout", text="b"),
        v4.new_output(
            "display_data",
            data={"text/html": "<img>", run_notebooks.WIDGET_VIEW: {"model_id": "123"}},
            metadata={"needs_background": "light"},
        ),
    ]
    code = v4.new_code_cell(
        "1",
        outputs=outputs,
        execution_count=1,
        metadata={"execution": {"started": "now"}, "tags": ["mistake"], "collapsed": True},
    )
    nb = v4.new_notebook(cells=[code], metadata={"widgets": {"state": {}}, "title": "x"})
    cell = run_notebooks.clean(nb).cells[0]
    assert nb.metadata.kernelspec.name == "python3"
    assert "widgets" not in nb.metadata
    assert cell.metadata == {"tags": ["mistake"]}
    assert [o.output_type for o in cell.outputs] == ["stream", "display_data"]
    assert cell.outputs[0].text == "ab"
    assert cell.outputs[1].data == {"text/html": "<img>"}
    assert cell.outputs[1].metadata == {}
    nbformat.validate(nb)


def test_run_executes_in_the_notebooks_own_folder_and_is_repeatable(tmp_path, capsys):
    (tmp_path / "beside.txt").write_text("found")
    path = tmp_path / "note.ipynb"
    cell = v4.new_code_cell("print(open('beside.txt').read())\n6 * 7", id="one")
    nbformat.write(v4.new_notebook(cells=[cell]), path)
    run_notebooks.run(path)
    first = path.read_bytes()
    stored = nbformat.read(path, 4).cells[0]
    assert [o.get("text") or o.data["text/plain"] for o in stored.outputs] == ["found\n", "42"]
    run_notebooks.run(path)
    assert path.read_bytes() == first
    assert "note.ipynb: 1 cells" in capsys.readouterr().out
