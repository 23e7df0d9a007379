"""Decision: what to run, where, at what price, and how sure.

`decide` takes a scenario and weighs an API by seller and tier, rented, reserved and own machines,
and mixes by the hour of the day, over a horizon, under what nobody decides (growth, prices, speed).
Options are choices; only what is uncertain is drawn. The answer is a `Decision`: its `chosen`
option, the `next_best`, `frame`, `memo`, what would change it and what to measure first.

>>> from econ.scenario import Scenario
>>> s = Scenario.of("qwen3-32b", "h100-sxm", rate_per_s=0.34)
>>> answer = decide(s, ["H100"], ["fp8"], n_refined=1)
>>> answer.chosen.is_api, answer.chosen.usd_per_day < answer.best_of("rent").usd_per_day
(True, True)
"""

from econ.decision.answer import Decision
from econ.decision.books import hourly_load
from econ.decision.choice import decide
from econ.decision.launch import launch_lines
from econ.decision.offers import api_offers
from econ.decision.result import Option
from econ.decision.speeds import keeps_slo
from econ.decision.valued import Offer

__all__ = [
    "Decision",
    "Offer",
    "Option",
    "api_offers",
    "decide",
    "hourly_load",
    "keeps_slo",
    "launch_lines",
]
