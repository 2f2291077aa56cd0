"""What all demos share: one ES module for three hosts, and a picture where there is no script.

A demo is a class on `Demo` that names its module (`_module = "filter"` → `js/filter.js`), declares
synced traits, and draws one still picture of itself. `Demo` does the rest: in JupyterLab and Voilà
the widget is linked to Python; in the book the stored `text/html` is an *island*, which
`js/island.js` brings to life from the very same module, without a kernel.
"""

import base64
import html
import io
import json
import re
from pathlib import Path

import anywidget
import numpy as np
from PIL import Image

JS = Path(__file__).parent / "js"
STILL_BYTES = 18_000  # as base64 text in a notebook: 25 kB
PHOTOS = ("china", "flower")  # written beside the modules by `write_assets`

_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./([\w-]+)\.js";\n', re.MULTILINE)
_DECLARED = re.compile(r"^(export )?(?:async )?(?:const|let|class|function\*?) (\w+)", re.MULTILINE)


def bundle(name: str) -> str:
    """Inline a demo's shared helpers: the text of one ES module without imports.

    A line `import { a, b } from "./x.js";` brings in the whole of `x.js`, once, without its
    `export` words. The order is that of the import lines, so the same files give the same text.

    Args:
        name: stem of the module in `js/`.

    Raises:
        ValueError: if two files declare the same name, or an imported name is not exported.
        FileNotFoundError: if a module does not exist.
    """
    owner: dict[str, str] = {}  # top-level name -> the file that declares it
    parts: dict[str, str] = {}  # file -> its text, in dependency order

    def add(stem: str) -> set[str]:
        source = (JS / f"{stem}.js").read_text(encoding="utf-8")
        exported = {word for export, word in _DECLARED.findall(source) if export}
        if stem in parts:
            return exported
        for words, other in _IMPORT.findall(source):
            missing = {w.strip() for w in words.split(",")} - add(other)
            if missing:
                raise ValueError(f"{stem}.js imports {sorted(missing)}, not exported by {other}.js")
        for _, word in _DECLARED.findall(source):
            if owner.setdefault(word, stem) != stem:
                raise ValueError(f"{word} is declared by {owner[word]}.js and by {stem}.js")
        source = _IMPORT.sub("", source)
        if re.search(r"^import\b", source, re.MULTILINE):
            raise ValueError(f'{stem}.js: write imports as `import {{ a, b }} from "./x.js";`')
        parts[stem] = source
        return exported

    add(name)
    last = parts.pop(name)
    helpers = [re.sub(r"^export ", "", text, flags=re.MULTILINE) for text in parts.values()]
    return "\n".join([*helpers, last])


def style() -> str:
    """Return the style of all demos: `demo.css`, which they share, then the others' by name."""
    own = sorted(path for path in JS.glob("*.css") if path.name != "demo.css")
    return "\n".join(path.read_text(encoding="utf-8") for path in (JS / "demo.css", *own))


def write_assets(folder: str | Path) -> None:
    """Write what a page with islands needs: `island.js`, `demo.css`, `demos/*.js`, the photos.

    The page then needs one line: `<script type="module" src="island.js"></script>`.

    Args:
        folder: where to write, for example the book's `_static`; made if missing.
    """
    from cnncourse import datasets

    folder = Path(folder)
    (folder / "demos").mkdir(parents=True, exist_ok=True)
    (folder / "island.js").write_bytes((JS / "island.js").read_bytes())
    (folder / "demo.css").write_text(style(), encoding="utf-8")
    for module in sorted(_modules(Demo) - {""}):
        (folder / "demos" / f"{module}.js").write_text(bundle(module), encoding="utf-8")
    for name, photo in zip(PHOTOS, datasets.sample_photos(), strict=True):
        (folder / "demos" / f"{name}.png").write_bytes(to_png(photo))


def to_png(image: np.ndarray) -> bytes:
    """Encode a uint8 picture, (h, w) or (h, w, 3), as PNG: lossless, so both sides agree."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="png", compress_level=6)
    return buffer.getvalue()


class Demo(anywidget.AnyWidget):
    """Base of every demo.

    Subclasses set `_module`, declare traits with `.tag(sync=True)`, and write `still`.
    """

    _module = ""

    def __init_subclass__(cls, **kwargs):
        """Give the class its JavaScript and its style."""
        if cls.__dict__.get("_module"):
            cls._esm = bundle(cls._module)
            cls._css = style()
        super().__init_subclass__(**kwargs)

    def __init__(self, **kwargs):
        """Set traits by name; an unknown name is an error, not a silent attribute."""
        for name in kwargs:
            self._check_name(name)
        super().__init__(**kwargs)

    def __setattr__(self, name, value):
        """Refuse a misspelt trait (`demo.stride = 2`), which would change nothing."""
        if not name.startswith("_"):
            self._check_name(name)
        super().__setattr__(name, value)

    def _check_name(self, name: str) -> None:
        if not (self.has_trait(name) or hasattr(type(self), name)):
            accepted = ", ".join(sorted(self._own_traits()))
            raise AttributeError(f"{type(self).__name__} has no {name!r}; accepted: {accepted}")

    def _own_traits(self) -> list[str]:
        inherited = {*Demo.class_trait_names(), "comm"}
        return [n for n in self.trait_names() if n not in inherited and n[0] != "_"]

    def still(self) -> tuple[np.ndarray, str]:
        """Return a small uint8 picture of the demo's present state and its alternative text."""
        raise NotImplementedError

    def state(self) -> dict:
        """Return what the island needs to start from here: the synced traits by name."""
        return self.get_state([n for n in self._own_traits() if n in self.keys])

    def island(self) -> str:
        """Return the HTML that shows the still picture, and the live demo where a script runs."""
        picture, alt = self.still()
        state = json.dumps(self.state(), sort_keys=True, default=_to_json)
        source = base64.b64encode(_small_jpeg(picture)).decode()
        return (
            f'<div class="cn-island" data-esm="{self._module}" data-state="{html.escape(state)}">'
            f'<img alt="{html.escape(alt)}" style="max-width:100%" '
            f'src="data:image/jpeg;base64,{source}"></div>'
        )

    def _repr_mimebundle_(self, **kwargs):
        """Offer the live widget, the island and a line of text; the host takes its favourite."""
        data, metadata = super()._repr_mimebundle_(**kwargs), {}
        if isinstance(data, tuple):
            data, metadata = data
        text = f"{type(self).__name__}: an interactive picture; run this cell to use it"
        return {**data, "text/html": self.island(), "text/plain": text}, metadata


def _modules(cls: type) -> set[str]:
    """Return the module names of `cls` and of all classes built on it."""
    return {cls._module}.union(*map(_modules, cls.__subclasses__()))


def _to_json(value):
    """Write bytes as base64 text and arrays as lists."""
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$bytes": base64.b64encode(bytes(value)).decode()}
    return np.asarray(value).tolist()


def _small_jpeg(picture: np.ndarray) -> bytes:
    """Encode a picture in at most `STILL_BYTES`: first 640 px wide, then smaller until it fits."""
    image = Image.fromarray(picture).convert("RGB")
    width = min(640, image.width)
    while True:
        small = image.resize((width, max(1, round(image.height * width / image.width))))
        buffer = io.BytesIO()
        small.save(buffer, format="jpeg", quality=70)
        if buffer.tell() <= STILL_BYTES or width < 32:
            return buffer.getvalue()
        width = int(width * 0.85)
