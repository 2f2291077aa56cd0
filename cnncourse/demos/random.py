"""Random numbers that the browser can draw too: the Python twin of `js/random.js`."""

import numpy as np

_WORD = 0xFFFFFFFF  # JavaScript's bit operations work on 32 bits


def uniforms(seed: int, count: int) -> np.ndarray:
    """Return `count` numbers from 0 to below 1, float64; the same seed gives the same numbers.

    The generator is mulberry32: a dozen operations on 32-bit integers, good enough for pictures.

    >>> uniforms(1, 3).round(4).tolist()
    [0.6271, 0.0027, 0.5274]
    """
    state, drawn = seed & _WORD, np.empty(count)
    for i in range(count):
        state = (state + 0x6D2B79F5) & _WORD
        t = ((state ^ state >> 15) * (1 | state)) & _WORD
        t = (t + (((t ^ t >> 7) * (61 | t)) & _WORD) & _WORD) ^ t
        drawn[i] = (t ^ t >> 14) / 2**32
    return drawn
