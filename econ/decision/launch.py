"""The commands that start a planned fleet: one replica under vLLM, SGLang or TensorRT-LLM.

>>> from econ.scenario import Scenario
>>> s = Scenario.of("qwen3-32b", "h100-sxm", precision="fp8", max_batch=16, token_budget=2048)
>>> print(launch_lines(s, "Qwen/Qwen3-32B")["vllm"])
vllm serve Qwen/Qwen3-32B --max-num-seqs 16 --max-num-batched-tokens 2048 \
--max-model-len 15104 --quantization fp8
"""

from __future__ import annotations

import math
import shlex

from econ.catalog.tables import table
from econ.scenario import Scenario

ROUND_TOKENS = 256  # contexts are allotted in blocks
EIGHT_BIT = {"fp8": "fp8"}  # formats an engine makes from bf16 weights at start


def launch_lines(scenario: Scenario, weights: str = "") -> dict[str, str]:
    """One command an engine, for one replica of the scenario's deployment.

    Parameters
    ----------
    scenario : Scenario
        Split, batch limit, token budget, precision, KV precision; the longest request of the
        workload gives the context.
    weights : str
        Where the weights are: a Hugging Face id or a folder; the model's name if left out.

    Returns
    -------
    dict of str to str
        Keys vllm, sglang, trtllm.

    Notes
    -----
    Formats of four bits need weights that were made so: name them in ``weights``. TensorRT-LLM
    reads its number format from the weights.
    """
    d, workload = scenario.deployment, scenario.workload
    model = weights or scenario.model_id
    longest = workload.input_quantile_tokens[-1] + workload.output_quantile_tokens[-1]
    context = math.ceil(longest / ROUND_TOKENS) * ROUND_TOKENS
    if (window := scenario.resolved_model.max_context_tokens) is not None:
        context = min(context, int(window))
    is_moe = scenario.resolved_model.is_moe
    ranks = d.dp if is_moe else 1
    quantised, kv = EIGHT_BIT.get(d.precision), d.kv_precision == "fp8"
    return {
        "vllm": _line(
            ["vllm", "serve", model],
            ("--tensor-parallel-size", d.tp, 1),
            ("--pipeline-parallel-size", d.pp, 1),
            ("--data-parallel-size", ranks, 1),
            ("--enable-expert-parallel", is_moe and d.ep > 1, False),
            ("--max-num-seqs", d.max_batch, None),
            ("--max-num-batched-tokens", d.token_budget, None),
            ("--max-model-len", context, None),
            ("--quantization", quantised, None),
            ("--kv-cache-dtype", "fp8" if kv else None, None),
        ),
        "sglang": _line(
            ["python", "-m", "sglang.launch_server", "--model-path", model],
            ("--tp-size", d.tp * ranks, 1),
            ("--pp-size", d.pp, 1),
            ("--dp-size", ranks, 1),
            ("--enable-dp-attention", ranks > 1, False),
            ("--ep-size", d.ep if is_moe else 1, 1),
            ("--max-running-requests", d.max_batch, None),
            ("--chunked-prefill-size", d.token_budget, None),
            ("--context-length", context, None),
            ("--quantization", quantised, None),
            ("--kv-cache-dtype", "fp8_e4m3" if kv else None, None),
        ),
        "trtllm": _line(
            ["trtllm-serve", "serve", model, "--backend", "pytorch"],
            ("--tp_size", d.tp * ranks, 1),
            ("--pp_size", d.pp, 1),
            ("--ep_size", d.ep if is_moe else 1, 1),
            ("--max_batch_size", d.max_batch, None),
            ("--max_num_tokens", d.token_budget, None),
            ("--max_seq_len", context, None),
        ),
    }


def weights_of(scenario: Scenario, named: str = "") -> str:
    """Where an engine finds a model's weights: its Hugging Face id.

    Parameters
    ----------
    scenario : Scenario
        With the model.
    named : str
        As it was asked for; a Hugging Face id stays what it is.

    Returns
    -------
    str
        Of ``data/catalog/weights.csv``; a folder of the model's name where no id is known.

    Examples
    --------
    >>> s = Scenario.of("qwen3-32b", "h100-sxm")
    >>> weights_of(s), weights_of(s, "Qwen/Qwen3-32B-AWQ")
    ('Qwen/Qwen3-32B', 'Qwen/Qwen3-32B-AWQ')
    """
    known = table("weights")["weights"]
    proper = {repository.lower(): repository for repository in known}
    if named.count("/") == 1 and named[0] != "@":
        return str(proper.get(named.lower(), named))
    return str(known.get(scenario.model_id, f"./{scenario.model_id}"))


def _line(words: list[str], *settings: tuple[str, object, object]) -> str:
    """The command with each setting that is not the engine's own default."""
    for flag, value, default in settings:
        if value is None or value == default:
            continue
        words = [*words, flag] if value is True else [*words, flag, str(value)]
    return " ".join(map(shlex.quote, words))
