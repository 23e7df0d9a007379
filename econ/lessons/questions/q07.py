"""Questions of lesson 07: how many joules does a token take?"""

from __future__ import annotations

from econ.lessons.l07_energy import measured_batches_frame
from econ.lessons.question import Inputs, Wrong, question


@question(
    "07-batch",
    "The same model on the same accelerator serves some 700 users at a time instead of 8. **How "
    "many times fewer joules** does a token take?",
    unit="times",
    slider=(0.5, 100),
    tolerance_frac=0.25,
    wrong=[
        Wrong((0, 1.5), "The accelerator reads the weights once for all users of a step, so a "
              "token's share of the energy falls with the batch.", "energy-ignores-batch"),
        Wrong((50, 100), "That would be the ratio of the users. But 700 users also read 700 "
              "caches, and a busy accelerator draws more power."),
    ],
    because="Both points were measured on one accelerator with an 8B model.",
)  # fmt: skip
def _fewer_joules(q: Inputs) -> float:
    frame = measured_batches_frame()
    points = frame[frame["claim"].str.contains(" 8B ")]["published"]
    return float(points.iloc[0] / points.iloc[-1])
