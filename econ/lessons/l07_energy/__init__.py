"""Lesson 07, energy: batch, phases, boundaries, reasoning.

>>> frame = batch_frame("llama-3.1-8b", "h100-sxm", input_tokens=100, output_tokens=400,
...                     batches=(1, 8, 64))
>>> bool(frame["energy_j_per_token"].is_monotonic_decreasing)
True
"""

from econ.lessons.l07_energy.panels import (
    ladder_panel,
    served,
    triangle_panel,
)
from econ.lessons.l07_energy.tables import (
    INPUTS,
    PREDICTED_ROWS,
    REASONING,
    batch_frame,
    measured_batches_frame,
    phase_frame,
    reasoning_frame,
    request_boundary_frame,
)
