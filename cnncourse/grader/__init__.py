"""Grade a folder of submissions, and let nobody cheat: `cnncourse grade DIR`.

`grading` is what authors and learners meet; this is what an instructor runs. A trusted driver keeps
the reference's values, the secret seed and the marks. Foreign code runs in a fork of a process that
has imported libraries and nothing else, in namespaces of its own, and gives values back: JSON and
raw bytes, never pickles. The driver compares (`grading.judge`).
"""
