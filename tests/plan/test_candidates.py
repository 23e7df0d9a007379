"""What can be deployed, and what rules a replica out."""

from __future__ import annotations

from econ.plan import candidates_frame
from econ.scenario import Scenario


def test_price_domain_and_context_rule_out_too():
    small = Scenario.of("llama-3.1-8b", "l4", input_tokens=4000, output_tokens=1000)
    splits = [(1, 1, 1, 1), (16, 1, 1, 1)]
    rows = candidates_frame(small, ["l4", "tpu-v6e"], ["bf16"], splits, {"l4": 0.5})
    assert rows["constraint"].tolist() == ["", "split", "price", "price"]
    assert rows["reason"][2] == "no price of tpu-v6e: give one"
    assert rows["reason"][1] == "tp × dp = 16 accelerators, 8 are linked"
    long = candidates_frame(small.with_(model="llama-2-7b"), ["h100-sxm"], ["bf16"], splits[:1])
    assert long["constraint"][0] == "context"
    assert "the longest request has 5,000 tokens, the model takes 4,096" in long["reason"][0]
    ranks = candidates_frame(small, ["h100-sxm"], ["bf16"], [(1, 1, 1, 2)])
    assert ranks["constraint"][0] == "split"
    assert "dp = 2: data-parallel ranks of a dense model are replicas" in ranks["reason"][0]
