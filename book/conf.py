"""Sphinx settings of the book. `book/build.py` prepares the sources and calls Sphinx."""

project = "cnncourse"
author = "The cnncourse authors"
copyright = "The cnncourse authors. Text CC BY 4.0, code MIT"

extensions = ["myst_nb", "sphinxcontrib.bibtex"]
root_doc = "index"
language = "en"

# Notebooks are stored executed: the book shows what is stored and never runs a kernel.
nb_execution_mode = "off"
# No widget manager, which would come from a CDN: a demo's own HTML island is shown instead.
nb_ipywidgets_js = {}
nb_mime_priority_overrides = [("html", "text/html", 0)]
myst_enable_extensions = ["amsmath", "colon_fence", "dollarmath"]
myst_heading_anchors = 3
bibtex_bibfiles = ["references.bib"]
bibtex_reference_style = "author_year"

html_theme = "sphinx_book_theme"
html_title = "cnncourse"
html_static_path = ["_build/source/static"]
html_favicon = "theme/favicon.svg"
html_css_files = ["book.css", "demo.css"]
html_js_files = [("island.js", {"type": "module"})]
html_context = {"default_mode": "auto"}
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
mathjax_path = "mathjax/tex-svg.js"
