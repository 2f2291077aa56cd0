"""Write constraints.txt: one exact version of everything that the course can need.

pip resolves the package with all its extras anew, without installing anything, so a pin that is
in the file now does not hold its successor back.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = "backends,book,gpu,grade,test"


def resolve() -> dict[str, str]:
    """Return name and version of every package that pip would install."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    report = subprocess.run(
        [*command, "--report", "-", f"{ROOT}[{EXTRAS}]"], check=True, stdout=subprocess.PIPE
    ).stdout
    packages = (item["metadata"] for item in json.loads(report)["install"])
    return {package["name"]: package["version"] for package in packages}


def main() -> None:
    """Resolve, then write the pins in order, without the course itself."""
    pins = resolve()
    del pins["cnncourse"]
    lines = [f"{name}=={pins[name]}" for name in sorted(pins, key=str.lower)]
    (ROOT / "constraints.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"constraints.txt: {len(lines)} packages")


if __name__ == "__main__":
    main()
