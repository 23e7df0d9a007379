"""The small transformer computes what the textbook says, however its work is cut."""

import numpy as np
import pytest

from econ.machine.backends import TORCH_PRECISIONS, backend, installed
from econ.machine.transformer import tiny_model, tiny_shape


@pytest.fixture(scope="module")
def tiny():
    return tiny_model(1.5e6, seed=3)


def textbook(tiny, tokens):
    """All logits of a sequence by the plain equations: full matrices, no cache, float64."""
    m = tiny.shape
    x = tiny.table[tokens].astype("float64")
    n = len(tokens)

    def norm(values):
        return values / np.sqrt((values**2).mean(-1, keepdims=True) + 1e-5)

    def rotated(values):
        half = values.shape[-1] // 2
        turns = np.arange(n)[:, None] * 10_000.0 ** (-np.arange(0, 2 * half, 2) / (2 * half))
        pairs = values[..., :half] + 1j * values[..., half:]
        pairs = pairs * np.exp(1j * turns)[:, None, :]
        return np.concatenate([pairs.real, pairs.imag], -1)

    for qkv, out, up, down in tiny.layers:
        heads = (norm(x) @ qkv.T.astype("float64")).reshape(n, -1, m.head_dim)
        turned = rotated(heads[:, : m.n_heads + m.n_kv_heads])
        q, k = turned[:, : m.n_heads], turned[:, m.n_heads :]
        v = heads[:, m.n_heads + m.n_kv_heads :]
        mixed = np.zeros((n, m.n_heads, m.head_dim))
        for head in range(m.n_heads):
            kv = head // (m.n_heads // m.n_kv_heads)
            scores = q[:, head] @ k[:, kv].T / np.sqrt(m.head_dim)
            scores[np.triu_indices(n, 1)] = -np.inf
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            mixed[:, head] = weights / weights.sum(-1, keepdims=True) @ v[:, kv]
        x = x + mixed.reshape(n, -1) @ out.T
        gate, value = np.split(norm(x) @ up.T, 2, axis=-1)
        x = x + (gate / (1 + np.exp(-gate)) * value) @ down.T
    return norm(x) @ tiny.head.T


def test_its_tokens_are_those_of_the_textbook(tiny):
    prompt = [5, 9, 2, 77, 1023, 4, 4, 8]
    cache, tokens = tiny.cache(1, 32), list(prompt)
    new = tiny.step(cache, [(0, prompt)])
    for _ in range(6):
        tokens += new
        new = tiny.step(cache, [(0, new)])
    logits = textbook(tiny, tokens)
    assert logits.argmax(-1)[len(prompt) - 1 : -1].tolist() == tokens[len(prompt) :]


def test_chunks_batches_and_neighbours_change_nothing(tiny):
    prompts = [list(range(1, 20)), list(range(40, 47)), [3]]
    alone = []
    for prompt in prompts:
        cache = tiny.cache(1, 32)
        first = tiny.step(cache, [(0, prompt)])
        alone.append([first[0], tiny.step(cache, [(0, first)])[0]])
    cache = tiny.cache(3, 32)
    tiny.step(cache, [(0, prompts[0][:7]), (1, prompts[1][:1])])
    tiny.step(cache, [(1, prompts[1][1:4]), (0, prompts[0][7:8])])
    first = tiny.step(cache, [(2, prompts[2]), (0, prompts[0][8:]), (1, prompts[1][4:])])
    second = tiny.step(cache, [(slot, [first[i]]) for i, slot in enumerate((2, 0, 1))])
    assert [[first[i], second[i]] for i in (1, 2, 0)] == alone
    assert cache.n_tokens == [20, 8, 2]


@pytest.mark.parametrize("n_params", [2e6, 64e6, 144e6, 1e9, 8e9])
def test_a_shape_has_the_size_that_is_asked_for(n_params):
    shape = tiny_shape(n_params)
    assert shape.n_params == pytest.approx(n_params, rel=0.1)
    assert shape.n_heads * shape.head_dim == shape.hidden_size
    assert shape.n_heads == 4 * shape.n_kv_heads


def test_weights_are_as_many_as_the_shape_says(tiny):
    n_weights = tiny.table.size + sum(w.size for layer in tiny.layers for w in layer)
    assert n_weights == tiny.shape.n_params


def test_a_slot_that_is_full_is_refused(tiny):
    cache = tiny.cache(1, 4)
    tiny.step(cache, [(0, [1, 2, 3])])
    with pytest.raises(ValueError, match="slot 0 holds 3 of 4 tokens: no room for 2 more"):
        tiny.step(cache, [(0, [1, 2])])


def test_what_exceeds_the_memory_is_refused_before_it_is_made(tiny, monkeypatch):
    monkeypatch.setattr("econ.machine.transformer.available_bytes", lambda device: 1e9)
    with pytest.raises(MemoryError, match=r"a cache of 100 × 100,000 tokens need .* GB missing"):
        tiny.cache(100, 100_000)
    with pytest.raises(MemoryError, match=r"998 M weights need 4.0 GB; 1.0 GB"):
        tiny_model(1e9)


@pytest.mark.parametrize("name", ["nunpy", "llama"])
def test_an_unknown_engine_lists_those_there_are(name):
    with pytest.raises(ValueError, match="unknown engine of the machine's lab"):
        backend(name)


def test_an_engine_that_is_not_installed_says_what_is(monkeypatch):
    monkeypatch.setattr("econ.machine.backends.installed", lambda: ("numpy",))
    with pytest.raises(ValueError, match="'torch' is not installed here; numpy is"):
        backend("torch")


@pytest.mark.skipif("torch" not in installed(), reason="needs PyTorch")
@pytest.mark.parametrize("precision", TORCH_PRECISIONS)
def test_torch_computes_what_numpy_does(tiny, precision):
    other = tiny_model(1.5e6, engine="torch", precision=precision, seed=3)
    work = [(0, [5, 9, 2, 77]), (1, [8, 1])]
    ours, theirs = tiny.step(tiny.cache(2, 8), work), other.step(other.cache(2, 8), work)
    assert len(theirs) == len(ours)
    if precision == "fp32":
        assert theirs == ours
