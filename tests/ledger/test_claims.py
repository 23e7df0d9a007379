"""Claims, by hand: each number below was worked out on paper from the published inputs."""

import pytest

from econ.catalog import table
from econ.catalog.guard import UnknownName
from econ.catalog.reading import BadTable
from econ.ledger import (
    ceiling_frame,
    claims,
    power_frame,
    power_usd,
    recomputed,
)
from econ.ledger.claims import WORDS, claim, claims_frame

BY_HAND = {
    "h100-110": (3350 / 137.95, 5, "wrong"),  # GB/s over GB of 68.98 billion weights of 2 bytes
    "azure-865k": (None, 865_000 * 2 * 68.98e9 / (72 * 10e15), "right"),
    "kv-93": (1 - 34_560 * 6 / (194_560 * 16), 1 - 34_560 / 194_560, "other"),
    "gb200-30x": (30, 30 / 9, "other"),
    "power-75": (4_380 / 34_380, 10_512 / 40_512, "wrong"),
    "sglang-020": (16 / 3600 / 22_300 * 1e6, 16 / 3600 * (1 / 22_300 + 2 / 52_300) * 1e6, "other"),
    "deepseek-545": (474_955 / 87_072, 474_955 / 562_027, "other"),
    "index-18": (23, 280 ** (12 / 23), "wrong"),
    "chinchilla-175b": (1.26e25, 1.26e25, "wrong"),
    "o3-172": (9500 / 111, 9500 / 111, "wrong"),
    "gemini-024": (0.24, 0.24, "right"),
    "posttrain-30x": (None, 147 / 2788, "other"),
    "hn-405b": (969 * 405 / 3350, 969 * 405 / 2000, "wrong"),
    "electricity-60": (0.112 / 2, 0.448 / 2.336, "wrong"),
    "caches-52": (58e9 / (162_000 * 8192), 93e9 / (162_000 * 8192), "wrong"),
    "owned-120": (450_000 / (8 * 3 * 8760), 650_000 / (8 * 3 * 8760), "wrong"),
    "vr-tenth": (None, 10 * 3.57 / 1.84, "other"),
    "gb300-35x": (1.41 / 90 * 6000 / 2.65, 1.41e6 / (90 * 3600) / 2.35, "other"),
    "gb300-50x-mw": (2.8e6 / 54e3, 2.65e6 / 3600 / 2.35 / (6 / 2.8) * 1000 / 54e3, "other"),
    "omni-9x": (None, 1.13 / 0.88, "other"),
    "trn3-44": (144 * 2517 / (64 * 1299), 2517 / 1299, "other"),
    "metrum-95": (9.5 * 2200 / 11_200, 9.5 * 2200 / 11_200, "wrong"),
    "gaudi3-23": (None, 2.3 * 125 / 245, "other"),
    "gb300-231": (6182 / 2189 * 2.21 / 2.65, 6182 / 2189 * 2.21 / 2.65, "right"),
    "ours-survived": (0.025 / 0.01625, 21 / 12, "wrong"),
    "ours-25": (0.25, 0.062, "other"),
    "ours-99": (85, 85 / 99, "wrong"),
    "rack-15x": (15, 75e6 / 2.19 * 1e6 / (3 * 365 * 86_400 * 72), "other"),
}


def test_every_claim_is_here():
    assert set(BY_HAND) == set(table("claims").index)


@pytest.mark.parametrize("id", BY_HAND)
def test_by_hand(id):
    case = claim(id)
    recomputed, asked, word = BY_HAND[id]
    if recomputed is not None:
        assert case.recomputed == pytest.approx(recomputed, rel=5e-3)
    assert case.asked == pytest.approx(asked, rel=0.02)
    assert case.verdict == word
    assert case.steps[-1][1] > 0


def test_our_own_withdrawn_claims_are_among_them_and_none_is_right():
    ours = {id: word for id, (_, _, word) in BY_HAND.items() if id.startswith("ours-")}
    assert len(ours) >= 3
    assert "right" not in ours.values()
    rows = table("claims").loc[list(ours)]
    assert rows["note"].str.startswith("Withdrawn").all()
    assert set(rows["source"]) == {"version-1"}


def test_the_frame_has_every_claim_and_a_verdict_of_three():
    frame = claims_frame()
    assert set(frame["verdict"]) <= set(WORDS)
    assert set(frame["id"]) == set(BY_HAND)


def test_a_bad_row_is_named(monkeypatch):
    rows = table("claims").loc[["o3-172"]].assign(asked="recomputed / nobody")
    monkeypatch.setattr(claims, "table", lambda name: rows)
    claim.cache_clear()
    with pytest.raises(BadTable, match=r"claims.csv row 'o3-172': unknown input 'nobody'"):
        claim("o3-172")
    claim.cache_clear()


def test_a_claim_and_a_published_figure_are_computed_once():
    assert claim("sglang-020").asked == recomputed("sglang-prefill")
    assert claim("gemini-024").recomputed == recomputed("gemini-sum")


def test_an_unknown_claim_lists_the_nearest():
    with pytest.raises(UnknownName, match="h100-110"):
        claim("h100-111")


def test_the_conditions_hold():
    """What would have to be true, put into the models: it makes the claim."""
    assert pytest.approx(110, rel=0.01) == 3350e9 / (0.44 * 68.98e9)  # bytes per weight
    dear = power_frame(30_000, 500, 2.05, 10, 1.0)["share_frac"].iloc[1]
    cheap = power_frame(30_000 / 20.5, 500, 0.1, 10, 1.0)["share_frac"].iloc[1]
    assert dear == pytest.approx(0.75, abs=0.005)
    assert cheap == pytest.approx(0.75, abs=0.005)
    power, rest = 1.4 * 0.08, 2 - 1.4 * 0.08
    assert 1.4 * 2 / (rest + 1.4 * 2) == pytest.approx(0.6, abs=0.005)
    assert power / (rest / 25 + power) == pytest.approx(0.6, abs=0.005)
    assert pytest.approx(0.44, abs=0.01) == 1 - 1.2 * 8 * 3 * 8760 / 450_000
    assert pytest.approx(52, rel=0.02) == 68e9 / (162_000 * 8192)
    assert pytest.approx(172, rel=0.005) == 5.7e9 / 33e6
    assert 30 / claim("posttrain-30x").asked == pytest.approx(570, rel=0.01)


def test_frames():
    ceiling = ceiling_frame("llama-3.1-8b", "h100-sxm", "bf16")
    assert (ceiling["memory"] == "fits").all()
    assert ceiling["tokens_per_s"].iloc[1] == 2 * ceiling["tokens_per_s"].iloc[0]
    with pytest.raises(ValueError, match="mixture of experts"):
        ceiling_frame("mixtral-8x7b", "h100-sxm", "bf16")
    assert power_usd(1_000, 0.1, 1, pue=1.2) == pytest.approx(8.76 * 120)
    with pytest.raises(ValueError, match=r"pue = 0\.9"):
        power_usd(1_000, 0.1, 1, pue=0.9)
