"""Finding a data set's files: in the local mirror, in Keras' cache, or on the network.

A file counts only if its hash is right. Downloads are made by pooch: into a temporary file beside
the final one, which gets its name when it is whole, so that neither a cut line nor a second
process leaves half a file.
"""

import errno
import gzip
import hashlib
import os
import zlib
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from cnncourse.datasets.dataset import File, Info

_BLOCK = 1 << 16


class DatasetError(OSError):
    """A data set cannot be had; the message names it, and says what to do."""


class _WebPageError(ValueError):
    """The server sent a web page in place of the file."""


def mirror_root() -> Path | None:
    """Return the folder that `CNNCOURSE_DATA` names, or None where it is not set.

    Raises:
        DatasetError: if there is no such folder.
    """
    name = os.environ.get("CNNCOURSE_DATA")
    if not name:
        return None
    if not Path(name).is_dir():
        raise DatasetError(f"CNNCOURSE_DATA is {name}, which is no folder: correct or unset it")
    return Path(name)


def keras_cache() -> Path:
    """Return Keras' own folder, without importing Keras."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")


def in_cache(file: File) -> Path:
    """Return where a file of a mirror's `keras` folder is in Keras' cache."""
    return keras_cache() / file.path.removeprefix("keras/")


def has_idx(root: Path) -> bool:
    """Return whether a mirror holds MNIST as published, and not as Keras has it."""
    return (root / "mnist").is_dir() and not (root / "keras/datasets/mnist.npz").is_file()


def state(file: File, path: Path, *, thorough: bool = True) -> str:
    """Return whether a file is there and whole: "ok", "missing" or "damaged".

    Args:
        file: what it should be.
        path: where it should be.
        thorough: compare the hash; otherwise only the size.
    """
    if not path.is_file():
        return "missing"
    if not file.contents and path.stat().st_size != file.size:
        return "damaged"
    if thorough and sha256(path, unzip=file.contents) != file.sha256:
        return "damaged"
    return "ok"


def sha256(path: Path, *, unzip: bool = False) -> str:
    """Return the hash of a file, or of what is packed in it; "" if it cannot be unpacked."""
    digest = hashlib.sha256()
    try:
        with gzip.open(path) if unzip else path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return ""
    return digest.hexdigest()


def obtain(info: Info, file: File) -> Path:
    """Return the path of a file that is whole, downloading it into Keras' cache if needed.

    Args:
        info: the data set.
        file: one of its files.

    Raises:
        DatasetError: if the file cannot be had, or if the mirror's copy is damaged.
    """
    root = mirror_root()
    if root is not None:
        found = state(file, root / file.path)
        if found == "ok":
            return root / file.path
        if found == "damaged" or not file.url:  # never look elsewhere because a copy is bad
            raise DatasetError(
                f"{info.title}: {root / file.path} in the mirror is {found}. "
                f"Mend that with `cnncourse data fetch {info.name} --to {root}`"
            )
    path = in_cache(file)
    if state(file, path) != "ok":
        download(info, file, path, elsewhere="set KERAS_HOME to another folder")
    return path


def download(info: Info, file: File, path: Path, elsewhere: str) -> None:
    """Download a file; what is at `path` afterwards has the right hash, or was there before.

    Args:
        info: the data set.
        file: one of its files.
        path: where to put it.
        elsewhere: how to choose another folder, for the error message.

    Raises:
        DatasetError: if that fails; the message says why, and what to do.
    """
    import pooch
    import requests

    start = f"{info.title}: {path.name}"
    downloader = partial(_download, size=file.size)
    try:
        pooch.retrieve(
            file.url, f"sha256:{file.sha256}", path.name, path.parent, downloader=downloader
        )
    except requests.RequestException as error:
        raise DatasetError(
            f"{start} could not be downloaded from {urlsplit(file.url).netloc} ({_reason(error)}). "
            "Check the connection and try again. On a machine without internet, set "
            "CNNCOURSE_DATA to a folder that was filled on another one with "
            f"`cnncourse data fetch {info.name} --to FOLDER`"
        ) from error
    except _WebPageError as error:
        raise DatasetError(
            f"{start}: a web page came in place of the file. A network that wants you to log in, "
            "or a proxy, does that: open a page in the browser, then try again"
        ) from error
    except ValueError as error:  # pooch: the hash is wrong
        raise DatasetError(
            f"{start} arrived damaged, its hash is wrong; it was thrown away. Try again; if that "
            "does not help, the file has changed at its source: report it to the course"
        ) from error
    except OSError as error:
        raise DatasetError(
            f"{start} cannot be written to {path.parent}: {_why(error, file)}, or {elsewhere}"
        ) from error


def _download(url, output_file, pooch_instance, size):
    """Download with a progress bar, and notice a web page in place of a file."""
    from pooch import HTTPDownloader
    from tqdm import tqdm

    with tqdm(desc=url.rsplit("/", 1)[-1], total=size, unit="B", unit_scale=True) as bar:
        HTTPDownloader(progressbar=bar, chunk_size=_BLOCK)(url, output_file, pooch_instance)
    with open(output_file, "rb") as stream:
        if stream.read(512).lstrip().startswith(b"<"):
            raise _WebPageError
    os.chmod(output_file, 0o644)  # a temporary file is its owner's alone, but a mirror is for all


def _reason(error):
    """Return the heart of an error of requests, whose text is long and technical."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answers {response.status_code} {response.reason}"
    reasons = {
        "ChunkedEncodingError": "the connection broke off",
        "ConnectTimeout": "no answer",
        "ReadTimeout": "the connection stalled",
        "ConnectionError": "no connection",
        "ProxyError": "no connection through the proxy",
        "SSLError": "no secure connection",
    }
    return reasons.get(type(error).__name__, type(error).__name__)


def _why(error, file):
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space is left. Make room for {file.size / 1e6:.1f} MB"
    return f"{error.strerror or error}. Allow writing there"
