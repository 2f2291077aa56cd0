"""Does an answer that should be written from scratch call the library's own? Advice, no judgement.

An exercise asks for it by the tag `from-scratch` on its solution cell. What is found is shown to
instructor and learner and changes no points: names can be hidden from a reader of source code
(`getattr`, `import_module`), and be used for good reasons (to compare with).
"""

import ast

# A name that begins so is an answer, or most of one, to what the course asks for from scratch.
LIBRARY_ANSWERS = (
    *("cnncourse.scratch", "cnncourse.architectures", "cnncourse.layers", "cnncourse.cost"),
    *("tensorflow.nn", "tf.nn", "keras.layers", "keras.ops.conv", "keras.ops.depthwise_conv"),
    *("keras.ops.separable_conv", "keras.ops.max_pool", "keras.ops.average_pool", "keras.ops.nn"),
    *("keras.applications", "keras.backend", "torch.nn", "jax.lax.conv", "jax.nn"),
    *("scipy.ndimage", "scipy.signal", "numpy.convolve", "numpy.correlate", "cv2", "skimage"),
    *("sklearn", "torchvision", "PIL.ImageFilter"),
)
_USUAL_NAMES = {"np": "numpy", "tf": "tensorflow", "keras": "keras", "cnncourse": "cnncourse"}


def library_answers(source: str) -> str:
    """Name the library's own answers that a cell imports or reads.

    Args:
        source: of the learner's cell; it is read, not run.

    Returns:
        A sentence, or nothing if none is found or the source is no Python.

    >>> library_answers("import scipy.ndimage as nd; y = nd.convolve(x, k)")
    "uses the library's own answer: scipy.ndimage"
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    names, found = dict(_USUAL_NAMES), {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[_match(alias.name)] = True
                top = alias.name.partition(".")[0]
                names[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                found[_match(full)] = True
                names[alias.asname or alias.name] = full
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, _, rest = _dotted(node).partition(".")
            found[_match(f"{names.get(first, first)}.{rest}")] = True
    answers = [name for name in found if name]
    return f"uses the library's own answer: {', '.join(answers)}" if answers else ""


def _match(name: str) -> str:
    """Return the library answer that a full name belongs to, or nothing."""
    return next((answer for answer in LIBRARY_ANSWERS if name.startswith(answer)), "")


def _dotted(node: ast.AST) -> str:
    """Return `a.b.c` for that expression; what does not begin with a name becomes `?`."""
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id if isinstance(node, ast.Name) else "?", *reversed(parts)])
