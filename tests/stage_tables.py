"""The rows of every network's table: (name, side, maps) of each stage up to the head.

From the papers' tables and figures; poolings, and depthwise convolutions, count as the beginning of
the row below. The last row of maps is called `pooling` where only the head follows.
"""

VGG = [("block1", 224, 64), ("block2", 112, 128), ("block3", 56, 256), ("block4", 28, 512)]
VGG += [("block5", 14, 512), ("pooling", 7, 512)]  # Simonyan & Zisserman (2014), table 1
C5 = [("C5–6", 13, 384), ("C7", 13, 256), ("pooling", 6, 256)]
BASIC = [("conv1", 112, 64), ("conv2", 56, 64), ("conv3", 28, 128), ("conv4", 14, 256)]
BASIC += [("conv5", 7, 512)]  # He et al. (2015), table 1
BOTTLENECK = [("conv1", 112, 64), ("conv2", 56, 256), ("conv3", 28, 512), ("conv4", 14, 1024)]
BOTTLENECK += [("conv5", 7, 2048)]
INCEPTION_STEM = [("stage 1", 149, 32), ("stage 2", 147, 32), ("stage 3", 147, 64)]
GOOGLENET = [  # Szegedy et al. (2015), table 1; 4a to 4c are alike
    ("conv1", 112, 64),
    ("conv2", 56, 192),
    ("inception_3a", 28, 256),
    ("inception_3b", 28, 480),
    ("inception_4a–c", 14, 512),
    ("inception_4d", 14, 528),
    ("inception_4e", 14, 832),
    ("inception_5a", 7, 832),
    ("inception_5b", 7, 1024),
]


def _efficientnet(side, maps, repeats):
    """Tan & Le (2019), table 1; B1 to B7: `efficientnet_builder.py` of the authors."""
    names = ["stem_conv", *(f"block{i}a" for i in range(1, 8)), "top_conv"]
    for i, count in enumerate(repeats, 1):
        names[i] += f"–{' abcdefghijklm'[count]}" if count > 1 else ""
    halved = [side]
    for _ in range(5):
        halved.append(-(-halved[-1] // 2))
    sides = [halved[i] for i in (1, 1, 2, 3, 4, 4, 5, 5, 5)]
    return list(zip(names, sides, maps, strict=True))


def _densenet(conv4, pool4, conv5):
    """Huang et al. (2016), table 1."""
    rows = [("conv1", 112, 64), ("conv2", 56, 256), ("pool2", 28, 128), ("conv3", 28, 512)]
    rows += [("pool3", 14, 256), ("conv4", 14, conv4), ("pool4", 7, pool4), ("conv5", 7, conv5)]
    return rows


TABLES = {
    "alexnet": [("C1", 55, 96), ("C3", 27, 256), *C5],
    "csp_densenet": [  # worked out by hand: see test_csp_densenet_by_hand
        ("conv1", 112, 64),
        ("conv2", 56, 144),
        ("pool2", 28, 72),
        ("conv3", 28, 246),
        ("pool3", 14, 123),
        ("conv4", 14, 476),
        ("pool4", 7, 238),
        ("conv5", 7, 434),
    ],
    "csp_resnet50": [  # PyTorch image models
        ("conv1", 112, 64),
        ("conv2", 56, 128),
        ("conv3", 28, 256),
        ("conv4", 14, 512),
        ("conv5", 7, 1024),
    ],
    "densenet121": _densenet(1024, 512, 1024),
    "densenet169": _densenet(1280, 640, 1664),
    "densenet201": _densenet(1792, 896, 1920),
    "efficientnet_b0": _efficientnet(
        224, (32, 16, 24, 40, 80, 112, 192, 320, 1280), (1, 2, 2, 3, 3, 4, 1)
    ),
    "efficientnet_b1": _efficientnet(
        240, (32, 16, 24, 40, 80, 112, 192, 320, 1280), (2, 3, 3, 4, 4, 5, 2)
    ),
    "efficientnet_b2": _efficientnet(
        260, (32, 16, 24, 48, 88, 120, 208, 352, 1408), (2, 3, 3, 4, 4, 5, 2)
    ),
    "efficientnet_b3": _efficientnet(
        300, (40, 24, 32, 48, 96, 136, 232, 384, 1536), (2, 3, 3, 5, 5, 6, 2)
    ),
    "efficientnet_b4": _efficientnet(
        380, (48, 24, 32, 56, 112, 160, 272, 448, 1792), (2, 4, 4, 6, 6, 8, 2)
    ),
    "efficientnet_b5": _efficientnet(
        456, (48, 24, 40, 64, 128, 176, 304, 512, 2048), (3, 5, 5, 7, 7, 9, 3)
    ),
    "efficientnet_b6": _efficientnet(
        528, (56, 32, 40, 72, 144, 200, 344, 576, 2304), (3, 6, 6, 8, 8, 11, 3)
    ),
    "efficientnet_b7": _efficientnet(
        600, (64, 32, 48, 80, 160, 224, 384, 640, 2560), (4, 7, 7, 10, 10, 13, 4)
    ),
    "fashion_cnn": [
        ("block1", 28, 64),
        ("block2", 14, 128),
        ("block3", 7, 256),
        ("pooling", 3, 256),
    ],
    "googlenet": GOOGLENET,
    "inception_resnet_v2": [  # Szegedy et al. (2016), as released: blocks of 35, 17 and 8 pixels
        *INCEPTION_STEM,
        ("stage 4", 73, 80),
        ("stage 5", 71, 192),
        ("block35", 35, 320),
        ("block17", 17, 1088),
        ("block8", 8, 2080),
        ("conv_7b", 8, 1536),
    ],
    "inception_v3": [  # Szegedy et al. (2016), table 1, as released
        *INCEPTION_STEM,
        ("stage 4", 73, 80),
        ("stage 5", 71, 192),
        ("mixed0", 35, 256),
        ("mixed1–2", 35, 288),
        ("mixed3–7", 17, 768),
        ("mixed8", 8, 1280),
        ("mixed9–10", 8, 2048),
    ],
    "inception_v4": [  # Szegedy et al. (2016), figures 3 and 9
        *INCEPTION_STEM,
        ("stem1", 73, 160),
        ("stem2", 71, 192),
        ("inception_a1–4", 35, 384),
        ("inception_b1–7", 17, 1024),
        ("inception_c1–3", 8, 1536),
    ],
    "lenet5": [("C1", 28, 6), ("C3", 10, 16), ("pooling", 5, 16)],  # C5 has maps of one number
    "mobilenet": [  # Howard et al. (2017), table 1
        ("conv1", 112, 32),
        ("conv_pw_1", 112, 64),
        ("conv_pw_2–3", 56, 128),
        ("conv_pw_4–5", 28, 256),
        ("conv_pw_6–11", 14, 512),
        ("conv_pw_12–13", 7, 1024),
    ],
    "mobilenet_v2": [  # Sandler et al. (2018), table 2
        ("Conv1", 112, 32),
        ("expanded_conv", 112, 16),
        ("block_1–2", 56, 24),
        ("block_3–5", 28, 32),
        ("block_6–9", 14, 64),
        ("block_10–12", 14, 96),
        ("block_13–15", 7, 160),
        ("block_16", 7, 320),
        ("Conv_1", 7, 1280),
    ],
    "resnet18": BASIC,
    "resnet34": BASIC,
    "resnet50": BOTTLENECK,
    "resnet101": BOTTLENECK,
    "resnet152": BOTTLENECK,
    "resnet50_v2": [  # in Keras' version the last unit of each stack shrinks the maps
        ("conv1", 112, 64),
        ("conv2", 28, 256),
        ("conv3", 14, 512),
        ("conv4", 7, 1024),
        ("conv5", 7, 2048),
    ],
    "resnext50": BOTTLENECK,  # Xie et al. (2016), table 1
    "se_googlenet": GOOGLENET,
    "se_resnet50": BOTTLENECK,
    "vgg16": VGG,
    "vgg19": VGG,
    "xception": [  # Chollet (2016), figure 5, for 299 pixels; blocks 4 to 12 give the same shape
        ("block1", 147, 64),
        ("block2", 74, 128),
        ("block3", 37, 256),
        ("block4–12", 19, 728),
        ("block13", 10, 1024),
        ("block14", 10, 2048),
    ],
    "zfnet": [("C1", 110, 96), ("C3", 26, 256), *C5],  # Zeiler & Fergus (2014), figure 3
}


def rows(stages):
    """Write stages as the tables do; the head, which has no maps, is left out."""
    return [(s.name, s.shape[0], s.shape[2]) for s in stages if s.name != "head"]
