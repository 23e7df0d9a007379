"""The models and formats that lessons compare, and the panel of a deployment that they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from econ.catalog import classroom
from econ.charts import Drawing, Panel, choice, panel, slider

MODELS = ("llama-3.1-8b", "qwen3-32b", "llama-3.1-70b", "gpt-oss-120b", "deepseek-v3")
PRECISIONS = ("bf16", "fp8", "fp4")


def deployment_panel(
    rows: Callable[..., pd.DataFrame],
    chart: Callable[[pd.DataFrame], Drawing],
    presets: dict[str, dict[str, Any]],
    **settings: Any,
) -> Panel:
    """A chart of a deployment that moves with its prompt, model, accelerator, split and format.

    ``rows(model, chip, tp=…, precision=…, input_tokens=…, **settings)`` makes its table.
    """

    def moved(prompt: int, model: str, chip: str, tp: int, precision: str) -> pd.DataFrame:
        return rows(model, chip, tp=tp, precision=precision, input_tokens=prompt, **settings)

    return panel(
        moved,
        chart,
        prompt=slider(100, 20_000, value=1000, log=True, label="Prompt (tokens)"),
        model=choice(MODELS, value="llama-3.1-70b", label="Model"),
        chip=choice(classroom(), value="h100-sxm", label="Accelerator"),
        tp=choice([1, 2, 4, 8], value=4, label="Tensor parallel"),
        precision=choice(PRECISIONS, value="fp8", label="Precision"),
        presets=presets,
    )
