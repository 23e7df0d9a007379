"""LoRA adapters: counted as their authors count them, and taken off the room for sequences."""

from __future__ import annotations

import pytest

from econ.catalog import model
from econ.catalog.guard import UnknownName
from econ.latency import adapter_memory, adapter_params, max_batch
from econ.latency.adapters import MATRICES
from econ.scenario import Scenario


def test_every_matrix_adds_its_two_sides():
    net = model("llama-3.1-8b")
    query = adapter_params(net, n_rank=2, matrices=("query",))
    assert query == 2 * net.n_layers * (net.hidden_size + net.n_heads * net.head_dim)
    whole = adapter_params(net, n_rank=2, matrices=MATRICES)
    assert whole == sum(adapter_params(net, n_rank=2, matrices=(name,)) for name in MATRICES)


def test_memory_for_adapters_is_memory_that_sequences_lack():
    s = Scenario.default()
    few, many = (adapter_memory(s, n_adapters=n, n_rank=64) for n in (10, 500))
    assert few.max_batch_without == max_batch(s) > few.max_batch > many.max_batch > 0
    assert many.adapters_bytes == 50 * few.adapters_bytes
    # what they take, the sequences that no longer fit had: within one of each
    one_bytes = many.adapters_bytes / (many.max_batch_without - many.max_batch)
    again = few.adapters_bytes / one_bytes
    assert few.max_batch_without - few.max_batch == pytest.approx(again, abs=1)
    assert adapter_memory(s, n_adapters=100_000, n_rank=64).max_batch == 0


def test_what_has_no_such_matrices_is_refused_by_name():
    with pytest.raises(ValueError, match="'deepseek-v3' is outside the range of adapters"):
        adapter_params("deepseek-v3", n_rank=8)
    with pytest.raises(UnknownName, match="nearest: query"):
        adapter_params("llama-3.1-8b", n_rank=8, matrices=("queries",))
    with pytest.raises(ValueError, match="n_rank = 0"):
        adapter_params("llama-3.1-8b", n_rank=0)
