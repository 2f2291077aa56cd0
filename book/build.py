"""Build the book: the stored notebooks as a static site with live demos and no outside request.

    python book/build.py [OUT]

Notebooks are written to read well in JupyterLab. Two things read better in a book, and are
rewritten here, in a copy: a citation `[Name (2016)](#References "key")` becomes a link into the
bibliography, and the first bold occurrence of a glossary term becomes a link to the glossary.
"""

import re
import shutil
import sys
from importlib.metadata import files
from pathlib import Path

import nbformat
from cnncourse import demos
from sphinx.cmd.build import main as sphinx_build

BOOK = Path(__file__).resolve().parent
ROOT = BOOK.parent
BUILD = BOOK / "_build"

CITATION = re.compile(r'\[[^\]]+\]\(#References "(?P<key>[\w:-]+)"\)')


def glossary_terms(text: str) -> list[str]:
    """Return the terms that the glossary page defines: the unindented lines of its directive."""
    body = re.search(r"^```\{glossary\}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [line.strip() for line in body[1].splitlines() if line and not line[0].isspace()]


def link_citations(markdown: str) -> str:
    """Turn every citation into the role that Sphinx resolves from `references.bib`.

    >>> link_citations('see [Yu & Koltun (2016)](#References "yukoltun2016").')
    'see {cite:t}`yukoltun2016`.'
    """
    return CITATION.sub(r"{cite:t}`\g<key>`", markdown)


def link_terms(markdown: str, terms: list[str]) -> str:
    """Link each term's first bold occurrence; `terms` loses the terms that were linked.

    >>> link_terms("A **stride** is a step; **stride** 2 halves.", ["stride"])
    'A **{term}`stride`** is a step; **stride** 2 halves.'
    """
    for term in list(terms):
        pattern = re.compile(rf"\*\*({re.escape(term)})\*\*", re.IGNORECASE)
        markdown, found = pattern.subn(
            lambda m, term=term: (
                f"**{{term}}`{m[1]} <{term}>`**" if m[1] != term else f"**{{term}}`{term}`**"
            ),
            markdown,
            count=1,
        )
        if found:
            terms.remove(term)
    return markdown


def prepare_notebook(path: Path, out: Path, terms: list[str]) -> None:
    """Copy one notebook, with its citations and its glossary terms linked."""
    nb = nbformat.read(path, as_version=4)
    terms = list(terms)
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            cell.source = link_terms(link_citations(cell.source), terms)
    nbformat.write(nb, out)


def prepare(source: Path) -> None:
    """Lay out everything that Sphinx reads in the folder `source`, anew."""
    shutil.rmtree(source, ignore_errors=True)
    static = source / "static"
    shutil.copytree(BOOK / "theme", static)
    for page in [*BOOK.glob("*.md"), BOOK / "references.bib"]:
        shutil.copy(page, source)
    terms = glossary_terms((BOOK / "glossary.md").read_text(encoding="utf-8"))
    for folder in ("chapters", "exercises"):
        (source / folder).mkdir()
        for path in sorted((ROOT / folder).glob("*.ipynb")):
            prepare_notebook(path, source / folder / path.name, terms)
    demos.write_assets(static)
    (static / "mathjax").mkdir()
    shutil.copy(mathjax(), static / "mathjax" / "tex-svg.js")


def mathjax() -> Path:
    """Return MathJax as one file. The package that carries it is installed like any other."""
    for file in files("sphinx-mathjax-offline"):
        if file.name == "tex-svg.js":
            return Path(file.locate())
    raise FileNotFoundError("the package sphinx-mathjax-offline holds no tex-svg.js")


def build(out: Path) -> int:
    """Build the book into the folder `out`; return Sphinx' exit status, warnings being errors."""
    source = BUILD / "source"
    prepare(source)
    arguments = ["-q", "-E", "-W", "--keep-going", "-b", "html", "-c", str(BOOK)]
    status = sphinx_build([*arguments, "-d", str(BUILD / "doctrees"), str(source), str(out)])
    # docutils gives the works, which stand in a list, a role that ARIA has withdrawn.
    works = out / "references.html"
    text = works.read_text("utf-8").replace('role="doc-biblioentry"', 'role="listitem"')
    works.write_text(text, "utf-8")
    return status


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else BUILD / "html"
    status = build(target.resolve())
    if status == 0:
        print(f"The book is in {target}: open {target / 'index.html'}")
    sys.exit(status)
