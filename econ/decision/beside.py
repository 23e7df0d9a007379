"""The options that stand beside the chosen one, and for which case each is there."""

from __future__ import annotations

from econ.decision.result import FAMILIES, Option, Weighing


def beside(decision: Weighing) -> list[Option]:
    """The chosen option, the next best, the surest, the best of each family, once each."""
    picked: list[Option] = [decision.chosen]
    for option in (decision.next_best, decision.surest, *map(decision.best_of, FAMILIES)):
        if option and option not in picked:
            picked.append(option)
    return picked


def case_words(decision: Weighing) -> str:
    """In which case to take each of the others; nothing where none stands there."""
    listed = []
    for option in beside(decision)[1:]:
        if cases := _cases(decision, option):
            listed.append(f"{option.in_words} if {' or if '.join(cases)}")
    best = "cheapest" if decision.offer is None else "best"
    return f"Beside it stand the {best} for other cases: {', '.join(listed)}." if listed else ""


def _cases(decision: Weighing, option: Option) -> list[str]:
    one = decision.chosen
    machine = next((o for o in decision.eligible if not o.is_api), None)
    cases = []
    if option is decision.surest and not decision.deadline_h:
        cases.append(f"{one.in_words} does not keep the SLO")
    if option is decision.best_of("api"):
        cases.append("you run no machines")
    if one.is_api and option is machine:
        cases.append("no API may be used")
    elif option is decision.best_of("rent"):
        cases.append("no API is used and nothing is bought" if one.is_api else "nothing is bought")
    if option is decision.best_of("own"):
        cases.append("data must stay in the house")
    return cases
