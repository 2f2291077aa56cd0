"""Submissions that cheat, break things or do harm, and honest ones that must not suffer.

Each is `{question: source}` over the small assignment in `assignment.py`; questions that an attack
leaves out are answered right. An attack's own questions deserve nothing, unless it is honest.
Placeholders such as `@SOLUTIONS@` are what a well-informed attacker would know.
"""

from attacks import outside, patches, processes, reading, values

MODULES = (values, patches, reading, processes, outside)
ATTACKS = {name: cells for module in MODULES for name, cells in module.ATTACKS.items()}
