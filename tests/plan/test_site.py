"""Energy and carbon of a plan are those of the ladder."""

from __future__ import annotations

import pytest

from tests.plan.cases import SCENARIO


def test_energy_is_that_of_the_ladder(screened):
    from econ.catalog import site, table
    from econ.energy import footprint
    from econ.energy.boundaries import boundary_frame
    from econ.energy.consumption import energy

    row = screened[(screened["basis"] == "screened") & (screened["pp"] == 1)].iloc[3]
    w = SCENARIO.workload
    changed = SCENARIO.with_(accelerator=row.accelerator, n_gpu=int(row.n_gpu), tp=int(row.tp),
                             precision=row.precision)  # fmt: skip
    one = energy(changed, concurrency=float(row.concurrency * row.n_gpu / row.tp))
    assert row.energy_j_per_token == pytest.approx(one.j_per_output_token)
    place = site(SCENARIO.site, SCENARIO.operator)
    ladder = boundary_frame(one, pue=place.pue, busy_frac=row.busy_frac)
    assert row.site_energy_j_per_token == pytest.approx(ladder["typical"].iloc[-1])
    rows = table("energy_inputs")["typical"]
    made = footprint.embodied_g_per_mtok(
        row.requests_per_s_per_replica * w.mean_output_tokens / row.n_gpu,
        years=rows["life_years"], busy_frac=row.busy_frac,
        accelerator_embodied_g=rows["accelerator_embodied_g"],
        server_embodied_g=rows["server_embodied_g"],
    )  # fmt: skip
    grams = footprint.carbon_g_per_mtok(
        row.site_energy_j_per_token, place.carbon_g_per_kwh, embodied_g_per_mtok=made
    )
    assert row.carbon_g_per_mtok == pytest.approx(grams)
    assert row.carbon_low_g_per_mtok < grams < row.carbon_high_g_per_mtok
