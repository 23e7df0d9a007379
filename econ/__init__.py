"""The economics of AI inference: one scenario, one chain, from tokens to TCO.

Rooms, from the ground up: ``econ.facts`` (what is known), ``econ.models`` (what
follows from it), ``econ.views`` (how it is shown). Imports point downwards only.
"""

__version__ = "1.0.0"
