"""Text that strangers chose - names, code, output - made safe to show, to store and to open."""

import hashlib
import re
import unicodedata

_HIDDEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}  # control, direction marks, surrogates, …
_FORMULA = (*"=+-@", *"＝＋－＠")  # the wide ones count in East Asian spreadsheets


def visible(text: str, keep: str = "") -> str:
    r"""Write every character that cannot be seen, or that reorders others, as an escape.

    Args:
        text: anything; undecodable bytes of a file name too.
        keep: characters to leave as they are, such as a newline.

    >>> visible("anna\u202egpj\n")
    'anna\\u202egpj\\n'
    """
    return "".join(
        c if c in keep or unicodedata.category(c) not in _HIDDEN else _escape(c) for c in text
    )


def _escape(character: str) -> str:
    if "\udc80" <= character <= "\udcff":  # a byte of a file name that is no UTF-8
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")


def encodable(text: str) -> str:
    """Replace lone surrogates, which JSON can hold and UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode("utf-8")


def shorten(text: str, characters: int) -> str:
    """Cut a text that is too long to read, and say by how much.

    >>> shorten("abcdef", 4)
    'abcd… (2 more characters)'
    """
    more = len(text) - characters
    return text if more <= 0 else f"{text[:characters]}… ({more:,} more characters)"


def spreadsheet_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula.

    >>> spreadsheet_cell("=1+1"), spreadsheet_cell("anna")
    ("'=1+1", 'anna')
    """
    formula = text.lstrip().startswith(_FORMULA) or text.startswith(("\t", "\r"))
    return f"'{text}" if formula else text


def file_names(labels: list[str], suffix: str) -> list[str]:
    """Return one portable, distinct file name per label, in their order.

    A label that had to be changed, or that a system might confuse with another one, gets a few
    digits of its hash; equal labels are numbered.

    >>> file_names(["anna", "../anna", "anna"], ".html")
    ['anna.html', 'anna-ec02c724.html', 'anna-2.html']
    """
    seen: set[str] = set()
    names = []
    for label in labels:
        plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
        base = re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-")[:60]
        if base != label:
            digest = hashlib.sha256(label.encode("utf-8", "surrogatepass")).hexdigest()[:8]
            base = f"{base}-{digest}" if base else digest
        name, count = base, 1
        while name.casefold() in seen:
            count += 1
            name = f"{base}-{count}"
        seen.add(name.casefold())
        names.append(name + suffix)
    return names
