"""What stands beside the chosen option says for which case, and the first line how sure it is."""

import econ
from econ.decision.beside import beside, case_words
from econ.decision.pages import launch_title
from tests.decision.cases import QUICK, answer, scenario


def test_a_choice_that_may_miss_the_slo_says_so_beside_its_price():
    one, line = answer().chosen, str(answer())
    assert one.p_keeps_slo < 0.9
    share = f"a day, but it keeps the SLO with a probability of only {one.p_keeps_slo:.0%}"
    assert share in line.partition(" a year")[0]
    sure = econ.decide(scenario(), least_p_frac=0.9, **QUICK)
    assert "only" not in str(sure)
    assert ", keeps the SLO with a probability of" in str(sure)


def test_each_of_the_others_has_its_case():
    words = case_words(answer())
    for option in beside(answer())[1:]:
        assert words.count(f"{option.in_words} if ") == 1
    assert f"{answer().surest.name} if {answer().chosen.in_words} does not keep" in words
    assert f"{answer().best_of('own').name} if data must stay in the house" in words
    assert "if no API may be used" in words
    assert words in answer().memo()
    assert launch_title(answer()).endswith(", if no API may be used")


def test_beside_a_machine_there_is_no_case_against_apis():
    d = econ.decide(scenario(), least_p_frac=0.9, sellers=["Groq"], **QUICK)
    assert d.chosen.accelerator
    assert "no API" not in case_words(d) + launch_title(d)
    alone = econ.decide(scenario(), on_premises=True, accelerators=["H100"], precisions=["fp8"])
    assert case_words(alone) == ""
