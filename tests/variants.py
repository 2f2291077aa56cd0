"""Networks in another form than by default: what tests of every network build besides."""

from cnncourse import architectures

VARIANTS = {  # name in the tests: (network, arguments)
    "alexnet_grouped": ("alexnet", {"grouped": True}),
    "googlenet_auxiliary": ("googlenet", {"auxiliary": True}),
    "lenet5_original": ("lenet5", {"original": True}),
    "mobilenet_half": ("mobilenet", {"alpha": 0.5}),
}


def build(name, /, **kwargs):
    """Return the network or the variant of that name."""
    network, form = VARIANTS.get(name, (name, {}))
    return architectures.build(network, **form, **kwargs)
