"""Networks that Keras has with ImageNet weights: how good, how large, how fast.

Source: the table of https://keras.io/api/applications/, as far as the course compares its networks.
Accuracies are those on ImageNet's validation images. Times are milliseconds per batch of 32 images,
the mean of several runs, on an AMD EPYC processor with 92 cores and on a Tesla A100 GPU: another
machine has other times, and may have another order. The size is that of the weight file, in MiB
(2²⁰ bytes), although the table there says MB. `side` is that of the images the network expects.
"""

COLUMNS = ("name", "size_mib", "top1", "top5", "parameters_m", "cpu_ms", "gpu_ms", "side")

_TABLE = """
MobileNetV2        14  71.3 90.1  3.5   25.9  3.8 224
MobileNet          16  70.4 89.5  4.3   22.6  3.4 224
NASNetMobile       23  74.4 91.9  5.3   27.0  6.7 224
EfficientNetB0     29  77.1 93.3  5.3   46.0  4.9 224
EfficientNetB1     31  79.1 94.4  7.9   60.2  5.6 240
EfficientNetB2     36  80.1 94.9  9.2   80.8  6.5 260
EfficientNetB3     48  81.6 95.7 12.3  140.0  8.8 300
EfficientNetB4     75  82.9 96.4 19.5  308.3 15.1 380
InceptionV3        92  77.9 93.7 23.9   42.2  6.9 299
ResNet50V2         98  76.0 93.0 25.6   45.6  4.4 224
EfficientNetB5    118  83.6 96.7 30.6  579.2 25.3 456
EfficientNetB6    166  84.0 96.8 43.3  958.1 40.4 528
ResNet101V2       171  77.2 93.8 44.7   72.7  5.4 224
InceptionResNetV2 215  80.3 95.3 55.9  130.2 10.0 299
EfficientNetB7    256  84.3 97.0 66.7 1578.9 61.6 600
"""


def _row(line: str) -> dict:
    name, *numbers = line.split()
    values = [float(n) if "." in n else int(n) for n in numbers]
    return dict(zip(COLUMNS, (name, *values), strict=True))


MODELS = tuple(map(_row, _TABLE.strip().splitlines()))  # smallest file first


def fitting(rows, max_mib=float("inf"), max_cpu_ms=float("inf"), max_gpu_ms=float("inf")) -> list:
    """Return the rows that keep all limits, in their order.

    >>> [row["name"] for row in fitting(MODELS, max_mib=25, max_gpu_ms=5)]
    ['MobileNetV2', 'MobileNet']
    """
    limits = {"size_mib": max_mib, "cpu_ms": max_cpu_ms, "gpu_ms": max_gpu_ms}
    return [row for row in rows if all(row[name] <= most for name, most in limits.items())]


def pareto_front(rows, cost="cpu_ms", gain="top1") -> list:
    """Return the rows that no other row beats, cheapest first.

    A row beats another if it costs no more and gains no less, and is better in one of the two.

    >>> [row["name"] for row in pareto_front(MODELS, "size_mib")][:4]
    ['MobileNetV2', 'NASNetMobile', 'EfficientNetB0', 'EfficientNetB1']
    """
    front = []
    for row in sorted(rows, key=lambda row: (row[cost], -row[gain])):
        last = front[-1] if front else None
        same = last and (row[cost], row[gain]) == (last[cost], last[gain])
        if last is None or row[gain] > last[gain] or same:
            front.append(row)
    return front


def best(rows, gain="top1"):
    """Return the row with the highest gain, the smallest of them if several; None if none is left.

    >>> best(fitting(MODELS, max_cpu_ms=50))["name"]
    'InceptionV3'
    """
    return max(rows, key=lambda row: (row[gain], -row["size_mib"]), default=None)
