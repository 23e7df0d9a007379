"""Count parameters and cache of models built without weights: facts for tests/fixtures.

Runs in an environment of its own (``pip install transformers torch``), not in that of the kit:
``python tools/count_models.py tests/fixtures/model_shapes.json > counts.jsonl``. Each line gives
the parameters of the class that the library builds on its meta device, those of norms and biases
among them, and by how many elements the cache of keys and values grows per token.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def count(shape: dict[str, Any]) -> dict[str, float]:
    """Parameters and growth of the cache of one shape, from the library's own class."""
    import torch
    from transformers import CONFIG_MAPPING, AutoModelForCausalLM

    values = dict(shape)
    config = CONFIG_MAPPING[values.pop("model_type")](**values)
    with torch.device("meta"), torch.no_grad():
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).eval()
        weights = {id(p): (name, p.numel()) for name, p in model.named_parameters()}
        sizes = []
        for n_tokens in (9000, 9064):  # beyond every window
            tokens = torch.ones((1, n_tokens), dtype=torch.long, device="meta")
            cache = model(input_ids=tokens, use_cache=True, logits_to_keep=1).past_key_values
            parts = [getattr(x, k, None) for x in cache.layers for k in ("keys", "values")]
            sizes.append(sum(x.numel() for x in parts if x is not None))
    small = [n for name, n in weights.values() if "norm" in name or name.endswith("bias")]
    return {
        "parameters": sum(n for _, n in weights.values()),
        "of_norms_and_biases": sum(small),
        "kv_elements_per_token": (sizes[1] - sizes[0]) / 64,
    }


def main(path: str) -> None:
    """Print one line of JSON for each shape; a class that cannot be built says why."""
    for name, shape in json.loads(Path(path).read_text()).items():
        try:
            line = count(shape)
        except Exception as error:
            line = {"error": f"{type(error).__name__}: {error}"[:200]}  # type: ignore[dict-item]
        print(json.dumps({"id": name, **line}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
