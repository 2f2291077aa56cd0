"""Finding a data set's files: in the local mirror, in Keras' cache, or on the network.

A file counts only if its hash is right. A download goes into `.NAME.part`, beside the final file,
and gets its name when it is whole. What a broken line or a killed process left there, the next
download goes on with, if the server can begin in the middle. Processes that want the same file wait
for one another.
"""

import contextlib
import errno
import gzip
import hashlib
import os
import sys
import zlib
from pathlib import Path
from urllib.parse import urlsplit

from cnncourse.datasets.dataset import File, Info

_BLOCK = 1 << 16


class DatasetError(OSError):
    """A data set cannot be had; the message names it, and says what to do."""


class _WebPageError(ValueError):
    """The server sent a web page in place of the file."""


class _HashError(ValueError):
    """What arrived is not the file."""


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
    return Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()


def in_cache(file: File) -> Path:
    """Return where a file of a mirror's `keras` folder is in Keras' cache."""
    return keras_cache() / file.path.removeprefix("keras/")


def has_idx(root: Path) -> bool:
    """Return whether a mirror holds MNIST as published, and not as Keras has it."""
    published = any((root / "mnist").glob("*.gz"))
    return published and not (root / "keras/datasets/mnist.npz").is_file()


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


@contextlib.contextmanager
def alone(path: Path, title: str, elsewhere: str):
    """Keep other processes away from a file or folder while the block makes it; wait for theirs.

    Args:
        path: what is to be made; its own folder is made if it does not exist.
        title: of the data set, for messages.
        elsewhere: how to choose another folder, for messages.

    Raises:
        DatasetError: if nothing can be written beside `path`.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            print(f"{title}: waiting for another process to make {path}", file=sys.stderr)
            lock.acquire()
    except OSError as error:
        if error.errno not in (errno.ENOLCK, errno.ENOTSUP):  # some network drives know no locks
            raise _cannot_write(f"{title}: {path.name}", path, _why(error), elsewhere) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):  # some versions of filelock have removed it
            os.unlink(lock.lock_file)
        lock.release()


def download(info: Info, file: File, path: Path, elsewhere: str) -> None:
    """Download a file, unless it is there; what is at `path` afterwards has the right hash.

    Args:
        info: the data set.
        file: one of its files.
        path: where to put it.
        elsewhere: how to choose another folder, for the error message.

    Raises:
        DatasetError: if that fails; the message says why, and what to do.
    """
    import requests

    start = f"{info.title}: {path.name}"
    try:
        with alone(path, info.title, elsewhere):
            if state(file, path) != "ok":  # another process may have been faster
                _download(file, path)
    except DatasetError:
        raise
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
    except _HashError as error:
        raise DatasetError(
            f"{start} arrived damaged, its hash is wrong; it was thrown away. Try again; if that "
            "does not help, the file has changed at its source: report it to the course"
        ) from error
    except OSError as error:
        raise _cannot_write(start, path, _why(error, file.size), elsewhere) from error


def _download(file, path):
    """Download into a part, or go on with it, and give it its name if its hash is right."""
    import requests

    part = path.with_name(f".{path.name}.part")
    try:
        _complete(file, part)
        with part.open("rb") as stream:
            if stream.read(512).lstrip().startswith(b"<"):
                raise _WebPageError
        if state(file, part) != "ok":
            raise _HashError
        part.replace(path)
    except requests.RequestException:
        if not part.stat().st_size:
            part.unlink()
        raise
    except (OSError, ValueError):  # neither a full disk nor a wrong file is to be gone on with
        part.unlink(missing_ok=True)
        raise


def _complete(file, part):
    """Append to a part what it lacks, with a progress bar."""
    from pooch import HTTPDownloader
    from tqdm import tqdm

    def start(response, **_):
        if done and response.status_code == 200:  # all of the file, though only a part was asked
            stream.truncate(0)

    with part.open("ab") as stream:
        done = stream.tell()
        if done >= file.size:  # the process was killed before it could give the part its name
            return
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        get = {"headers": headers, "hooks": {"response": start}}
        name, rest = file.url.rsplit("/", 1)[-1], file.size - done
        with tqdm(desc=name, total=rest, unit="B", unit_scale=True) as bar:
            HTTPDownloader(progressbar=bar, chunk_size=_BLOCK, **get)(file.url, stream, None)


def _reason(error):
    """Return the heart of an error of requests, whose text is long and technical."""
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answers {response.status_code} {response.reason}"
    if "Read timed out" in str(error):  # in the middle of the file that is a ConnectionError, too
        return "the connection stalled"
    reasons = {
        "ChunkedEncodingError": "the connection broke off",
        "ConnectTimeout": "no answer",
        "ConnectionError": "no connection",
        "ProxyError": "no connection through the proxy",
        "SSLError": "no secure connection",
    }
    return reasons.get(type(error).__name__, type(error).__name__)


def _why(error, size=0):
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "no space is left. Make room" + (f" for {size / 1e6:.1f} MB" if size else "")
    return f"{error.strerror or error}. Allow writing there"


def _cannot_write(start, path, why, elsewhere):
    return DatasetError(f"{start} cannot be written to {path.parent}: {why}, or {elsewhere}")
