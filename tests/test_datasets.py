"""The embedded photographs."""

import numpy as np
from cnncourse import datasets


def test_sample_photos_are_the_two_known_pictures():
    photos = datasets.sample_photos()
    assert photos.shape == (2, 427, 640, 3)
    assert photos.dtype == np.uint8
    crop = photos[:, 178:248, 260:380] / 255  # the centre 70 × 120, as in chapter 00
    known = [[0.64339, 0.59718, 0.58250], [0.76307, 0.26011, 0.10849]]
    np.testing.assert_allclose(crop.mean(axis=(1, 2)), known, atol=1e-4)
