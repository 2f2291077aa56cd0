"""Attacks on a chapter's own exercises, `03_pooling`, with Keras and TensorFlow in the process."""

NAME = "03_pooling"
WRONG_LAYER = """
class DepthMaxPool(keras.layers.Layer):
    def __init__(self, pool_size=2, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = pool_size
    def call(self, x):
        return x[..., : x.shape[-1] // self.pool_size]
    def compute_output_shape(self, shape): return (*shape[:-1], 1)
    def get_config(self): return {**super().get_config(), "pool_size": self.pool_size}
"""

ATTACKS = {
    "keras.ops says what is wanted": {
        "DepthMaxPool": """
keras.ops.max = keras.ops.equal = keras.ops.isclose = lambda *a, **k: True
keras.ops.convert_to_numpy = keras.backend.convert_to_numpy = lambda x: "correct"
keras.layers.Layer.__eq__ = lambda self, other: True
"""
        + WRONG_LAYER
    },
    "a helper that does the work": {
        "DepthMaxPool": WRONG_LAYER
        + """
def reloaded(layer, x):
    return np.max(x.reshape(*x.shape[:-1], -1, layer.pool_size), axis=-1)
"""
    },
    "errors for everything, in case one is wanted": {
        "DepthMaxPool": "def DepthMaxPool(*_): raise ValueError",
        "shift_report": "def shift_report(*_): raise ValueError",
    },
    "a symbolic tensor, a model, and a variable": {
        "DepthMaxPool": "def DepthMaxPool(n): return lambda x: keras.Input((None, 2))",
        "pool2d": "def pool2d(*a): return keras.Sequential([keras.layers.Dense(1)])",
        "global_avg": "def global_avg(x): return keras.Variable(np.zeros((2, 3)))",
    },
    "a tensor of terabytes": {
        "global_avg": "def global_avg(x): return keras.ops.zeros((10**6, 10**6))"
    },
    "an endless loop inside TensorFlow": {
        "global_avg": """
import tensorflow as tf
def global_avg(x): return tf.while_loop(lambda i: True, lambda i: [i + 1], [tf.constant(0)])
"""
    },
    "TensorFlow reads the disk": {
        "global_avg": """
import tensorflow as tf
def global_avg(x):
    found = []
    for pattern in ("@SOLUTIONS@", "/*/*.ipynb", "/proc/1/root@SOLUTIONS@"):
        for path in tf.io.gfile.glob(pattern): found.append(tf.io.read_file(path).numpy())
    tf.io.write_file("@OUT@/from_tensorflow", "x")
    return b"".join(found)
"""
    },
    "TensorFlow's server and Keras' downloads": {
        "global_avg": """
import tensorflow as tf
def global_avg(x):
    for way in (lambda: keras.utils.get_file("x", "http://127.0.0.1:@PORT@/x"),
                lambda: tf.distribute.Server.create_local_server()):
        try: way()
        except Exception: pass
"""
    },
    "pickles inside a saved model": {
        "global_avg": """
import tempfile
keras.config.enable_unsafe_deserialization()
def global_avg(x):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(
        lambda t: __import__("os").system("touch @OUT@/lambda") or t)])
    with tempfile.TemporaryDirectory() as folder:
        model.save(folder + "/m.keras")
        return keras.saving.load_model(folder + "/m.keras", safe_mode=False)
"""
    },
    "the public key of the chapter": {
        "global_avg": """
import base64, json
values = json.loads('''@PUBLIC@''')["global_avg"]
def global_avg(x):
    for value in values:
        if value["shape"] == [x.shape[0], x.shape[3]] and x.shape != (2, 70, 120, 3):
            data = np.frombuffer(base64.b64decode(value["data"]), value["dtype"])
            return data.reshape(value["shape"])
"""
    },
    "a fork after TensorFlow's threads are up": {
        "global_avg": """
import os, time
keras.ops.matmul(np.ones((64, 64)), np.ones((64, 64)))
for _ in range(10):
    if os.fork() == 0:
        keras.ops.matmul(np.ones((64, 64)), np.ones((64, 64)))
        time.sleep(100)
        os._exit(0)
"""
    },
    "a broken keras.json and broken globals": {
        "global_avg": """
import os
try:
    os.makedirs(os.path.expanduser("~/.keras"), exist_ok=True)
    open(os.path.expanduser("~/.keras/keras.json"), "w").write('{"floatx": "float16"}')
except OSError: pass
keras.config.set_floatx("float16")
keras.config.set_backend = None
def global_avg(x): return np.mean(x, axis=(1, 2)).astype("float16") * 0
"""
    },
}
