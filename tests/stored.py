"""The notebooks as they are stored: their text, what they printed, what their cells define."""

import ast

import nbformat
from cnncourse.paths import course_root


def read(folder, stem):
    """Return a notebook of `chapters`, `solutions` or `exercises`."""
    return nbformat.read(course_root() / folder / f"{stem}.ipynb", as_version=4)


def prose(notebook):
    """Return all of its text."""
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def cell(notebook, name):
    """Return the cell with this id."""
    return next(cell for cell in notebook.cells if cell.id == name)


def printed(cells):
    """Return what these cells printed."""
    return "\n".join(output.text for output in _outputs(cells, "stream"))


def html(cells):
    """Return the list of what these cells show as HTML."""
    outputs = _outputs(cells, "display_data", "execute_result")
    return [output.data["text/html"] for output in outputs if "text/html" in output.data]


def _outputs(cells, *kinds):
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return [output for output in outputs if output.output_type in kinds]


def defined(notebook, *names, **scope):
    """Execute the notebook's definitions of these names, and nothing else of it.

    Args:
        notebook: the notebook.
        names: of functions, classes and variables.
        scope: what the definitions need, by name.

    Returns:
        What the names stand for: a list, or the one thing if it is one name.
    """
    _execute(notebook, lambda node: _names(node) & set(names), scope)
    return [scope[name] for name in names] if len(names) > 1 else scope[names[0]]


def functions(notebook, **scope):
    """Execute every definition of a function, and nothing else; return all names with `scope`."""
    _execute(notebook, lambda node: isinstance(node, ast.FunctionDef), scope)
    return scope


def _execute(notebook, wanted, scope):
    for cell in notebook.cells:
        if cell.cell_type == "code" and not cell.source.startswith("%%"):
            tree = ast.parse(cell.source)
            tree.body = [node for node in tree.body if wanted(node)]
            exec(compile(tree, "<notebook>", "exec"), scope)


def _names(node):
    """Return the names that a statement defines."""
    if isinstance(node, ast.Assign):
        return {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return {getattr(node, "name", None)}
