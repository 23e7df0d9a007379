"""Pictures: their data are the model's, their lengths are to scale, their words say it."""

import re

import numpy as np
import pytest

import econ
from econ.catalog import model, table
from econ.energy import boundaries
from econ.ledger import claim
from econ.lessons.l06_arranging import pools_for
from econ.lessons.l07_energy import request_boundary_frame, served
from econ.lessons.pictures import PICTURES, headlines, money, picture, place, serving
from econ.lessons.pictures import model as model_pictures
from econ.lessons.pictures.steps import Requests, walk
from econ.serving import simulate
from econ.tokens.count import train_bpe

RECT = re.compile(r'<rect x="([-\d.]+)" y="([-\d.]+)" width="([\d.]+)" height="([\d.]+)"')
LEAST_PX, MOST_PX = -0.1, 720.1


@pytest.mark.parametrize("policy", ["chunked_prefill", "prefill_first"])
def test_the_steps_are_the_simulators_own(policy):
    """To the picosecond's rounding, for requests of any length that share a small batch."""
    rng = np.random.default_rng(5)
    for max_batch, budget in ((2, 512), (4, 2048), (5, 512)):
        run = serving.server().replace(policy=policy, max_batch=max_batch, token_budget=budget)
        arrival = [0.0, *np.sort(rng.uniform(0, 0.5, 7))]
        prompt, output = rng.integers(50, 3000, 8).tolist(), rng.integers(1, 30, 8).tolist()
        steps = walk(Requests(arrival, prompt, output), run)
        times = simulate(arrival, prompt, output, run)
        ours = [serving.token_times(steps, i) for i in range(8)]
        assert [len(t) for t in ours] == output
        assert np.allclose([t[0] for t in ours], times.first_token_s, rtol=0, atol=1e-8)
        assert np.allclose([t[-1] for t in ours], times.done_s, rtol=0, atol=1e-8)


@pytest.mark.parametrize("id", PICTURES)
def test_it_has_words_frames_a_still_and_stays_inside(id):
    it = picture(id)
    assert it.question.endswith("?")
    assert len({words for _, words in it.frames}) >= min(2, len(it.frames))
    assert not it.numbers.empty
    for markup, words in it.frames:
        assert len(words) > 40
        assert "nan" not in markup + words
        for x, y, width, height in RECT.findall(markup):
            assert float(x) >= LEAST_PX
            assert float(x) + float(width) <= MOST_PX
            assert float(y) >= LEAST_PX
            assert float(y) + float(height) <= it.height_px
    assert it.spec["frames"][it.spec["still"]] == it.frames[it.still][0]
    assert "currentColor" in it.frames[0][0]  # follows the theme
    assert it.description.startswith(it.question)
    assert sum(len(m) for m, _ in it.frames) < 700_000


@pytest.mark.parametrize("id", ["request", "cache"])
def test_the_still_is_a_picture(id):
    assert picture(id).png().startswith("iVBOR")


def test_an_unknown_picture_names_the_nearest():
    with pytest.raises(ValueError, match="nearest: batches"):
        picture("batch")


def test_the_request_is_one_of_the_simulation():
    run = serving.server().replace(token_budget=512)
    times = simulate(*serving.ONE, run)
    frame = serving.request_frame()
    assert frame["time_s"].iloc[0] == pytest.approx(times.first_token_s[0], abs=1e-8)
    assert frame["time_s"].iloc[-1] == pytest.approx(times.done_s[0], abs=1e-8)
    assert f"{1e3 * times.first_token_s[0]:.0f} ms (TTFT)" in picture("request").frames[0][1]


def test_a_step_is_the_predictions_and_its_bar_to_scale():
    frame = model_pictures.step_frame()
    for users in (1, 64):
        one = econ.latency.predict(econ.Scenario.default(), concurrency=users)
        rows = frame[frame["users"] == users].set_index("part")["time_ms"] / 1e3
        assert rows.to_dict() == pytest.approx(one.parts_s)
    markup = picture("step").frames[-1][0]
    bars = {
        t: float(w) for w, t in re.findall(r'width="([\d.]+)"[^>]*><title>(\w+)[^<]* ms<', markup)
    }
    last = frame[frame["users"] == frame["users"].max()].set_index("part")["time_ms"]
    assert bars["weights"] / bars["kernels"] == pytest.approx(
        last["weights"] / last["kernels"], rel=0.02
    )


def test_caches_are_the_models_and_to_scale():
    frame = model_pictures.cache_frame().set_index(["kind", "context_tokens"])["kv_gb"]
    for kind, id in model_pictures.CACHES.items():
        assert frame[kind, 128_000] == pytest.approx(model(id).kv_bytes(128_000) / 1e9)
    bars = [float(h) for *_, h in RECT.findall(picture("cache").frames[-1][0])]
    assert bars[0] / bars[1] == pytest.approx(
        frame["MHA", 128_000] / frame["GQA", 128_000], rel=0.01
    )


def test_continuous_seats_are_those_of_the_simulation_and_static_ones_wait():
    frame = serving.batches_frame()
    run = serving.server().replace(max_batch=serving.SEATS)
    times = simulate(*serving.MANY, run)
    ends = frame.groupby("batching")["end_s"].max()
    assert ends["continuous"] == pytest.approx(times.done_s.max(), abs=1e-8)
    assert ends["static"] > 1.2 * ends["continuous"]
    held = frame[frame["request"] >= 0].groupby(["batching", "request"])["step"].nunique()
    for name in ("continuous", "static"):
        assert (
            held[name].tolist() == serving.MANY.output_tokens
        )  # one step a token, prompts read at once
    assert not frame.duplicated(["batching", "step", "seat"]).any()


def test_chunks_spare_the_others_a_stall():
    frame = serving.stall_frame()
    whole, chunked = (serving.longest_gap_s(frame, way) for way in serving.POLICIES)
    assert whole > 5 * chunked
    for way, policy in serving.POLICIES.items():
        run = serving.server().replace(policy=policy, token_budget=serving.CHUNK)
        done = frame[frame["way"] == way].groupby("request")["time_s"].max()
        assert np.allclose(done, simulate(*serving.LONG, run).done_s, rtol=0, atol=1e-8)


def test_pools_hold_each_request_where_the_simulation_does():
    frame = serving.pools_frame()
    pools = pools_for(econ.Scenario.default(), 1, 1)
    times = simulate(frame["arrival_s"], frame["input_tokens"],
                     np.tile([40, 20], serving.N_POOL // 2), pools)  # fmt: skip
    assert np.allclose(frame["done_s"], times.done_s)
    row = frame.iloc[1]
    halls = [serving.hall_of(row, t) for t in (row["first_token_s"] - 1e-6, row["moved_s"] - 1e-6,
                                               row["done_s"] - 1e-6, row["done_s"])]  # fmt: skip
    assert halls == ["prefill hall", "in transit", "decode hall", "done"]


def test_splits_are_the_predictions():
    frame = model_pictures.split_frame()
    rows = frame[(frame["kind"] == "tensor parallel") & (frame["n_gpu"] == 4)]
    one = econ.latency.predict(econ.Scenario.default(), concurrency=model_pictures.USERS)
    assert rows.set_index("part")["time_ms"].to_dict() == pytest.approx(
        {part: 1e3 * t for part, t in one.parts_s.items()}
    )


def test_merges_are_those_of_the_trained_vocabulary():
    frame = model_pictures.merges_frame()
    english = econ.catalog.table("parallel_text").loc["en", "text"]
    bpe = train_bpe(english, vocab_size=len(set(english)) + model_pictures.N_MERGES + 1)
    assert frame["learned"].iloc[1:].tolist() == [m.replace(" ", "") for m in bpe.merges][:40]
    assert (frame["tokens"].diff().dropna() <= 0).all()
    last = frame["pieces"].iloc[-1]
    assert english.startswith(last.replace("|", ""))


def test_the_room_is_the_ladder_and_areas_are_energies():
    frame = money.room_frame()
    ladder = request_boundary_frame(served(), money.OPERATOR)
    assert frame["typical"].tolist() == pytest.approx(ladder["typical"].tolist())
    assert frame["rung"].tolist() == list(boundaries.RUNGS)
    areas = [float(w) * float(h) for _, _, w, h in RECT.findall(picture("room").frames[-1][0])[:4]]
    assert areas[-1] / areas[0] == pytest.approx(
        frame["typical"].iloc[0] / frame["typical"].iloc[-1], rel=0.01
    )


def test_the_hour_adds_up_and_every_request_of_the_day_is_served():
    hour = money.hour_frame().set_index("group")["usd_per_gpu_hour"]
    owned = econ.tco.cost(econ.Scenario.default().with_(tenure="owned")).frame()
    assert hour.drop("margin").sum() == pytest.approx(owned["usd_per_gpu_hour"].sum())
    day = money.day_frame()
    served_per_s = day[list(money.SOURCES)].sum(axis=1)
    assert served_per_s.tolist() == pytest.approx(econ.tco.day_load(money.MEAN_PER_S).tolist())
    assert (day[list(money.SOURCES)] >= 0).all().all()


def test_the_bill_of_three_laws_turns_from_training_to_thought():
    frame = money.laws_frame().set_index(["n_requests", "part"])["share"]
    for demand in money.DEMANDS:
        assert frame[demand].sum() == pytest.approx(1)
    once = frame.unstack()[["pretraining", "post-training"]].sum(axis=1)
    assert once.is_monotonic_decreasing
    assert once.iloc[0] > 0.9
    assert once.iloc[-1] < 0.01
    assert frame[money.DEMANDS[-1]].idxmax() == "test-time compute"


def test_a_megawatt_is_split_as_the_ladder_says_and_its_day_has_the_grids_mean():
    flow, day = place.megawatt_flow_frame(), place.megawatt_day_frame()
    assert flow["kw"].sum() == pytest.approx(1000)
    ladder = boundaries.boundary_frame(served(), pue=table("operators").loc[place.OPERATOR, "pue"])
    shares = (ladder["adds"] / ladder["typical"].iloc[-1]).tolist()
    assert (flow["kw"] / 1000).tolist() == pytest.approx(shares)
    joules_per_s = 1e6  # a megawatt
    assert flow["tokens_per_s"].iloc[0] == pytest.approx(joules_per_s / ladder["typical"].iloc[-1])
    for id, hours in zip(place.PLACES, day.groupby("place", sort=False), strict=True):
        mean_g = econ.energy.carbon_intensity_g_per_kwh(id)
        assert hours[1]["carbon_kg"].mean() == pytest.approx(mean_g)
    widths = [float(w) for _, _, w, _ in RECT.findall(picture("megawatt").frames[0][0])[1:9:2]]
    assert widths == pytest.approx((flow["kw"] * place.FLOW_PX / 1000).tolist(), abs=0.06)


def test_the_frontier_draws_every_offer_of_a_month_and_the_cheapest_is_the_lowest():
    rows = headlines.offers_by_month_frame()
    path = econ.trends.cheapest_frame(headlines.LEVEL_FRAC).dropna(subset=["purchasable"])
    months = rows.groupby("date")["price_usd_per_mtok"].min()
    assert months.tolist() == path["purchasable"].tolist()
    it = picture("frontier")
    assert len(it.frames) == len(path)
    last = rows[rows["date"] == rows["date"].max()]
    markup, words = it.frames[-1]
    legend = 1
    assert markup.count('opacity="0.3"') == len(last) + legend
    assert words.startswith(f"{path['date'].iloc[-1]}: {len(last)} offers")
    assert str(path["model"].iloc[-1]) in words
    lost = path["purchasable"].iloc[-1] / path["record_low"].iloc[-1] - 1
    assert (f"{lost:.0%} above the record low" in words) == (lost > 0.01)


def test_a_factor_is_the_product_of_what_it_is_made_of():
    case, rows = claim(headlines.CLAIM), headlines.factor_frame().set_index("what")
    assert rows["times"].iloc[-1] == pytest.approx(case.recomputed)
    assert rows["times"].iloc[1] == pytest.approx(case.asked)
    parts = [float(w) for _, _, w, _ in RECT.findall(picture("factor").frames[-1][0])]
    share = np.log(case.asked) / np.log(case.recomputed)
    assert parts[0] / sum(parts) == pytest.approx(share, rel=0.01)
