"""The name of this machine's processor, for the tables: seconds say nothing without it."""

import platform
from pathlib import Path


def processor():
    """Return its name, as the system has it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"
