"""Lesson 11, the owner's hour: one service's bill layer by layer.

>>> from econ.scenario import Scenario
>>> point = operating_point(Scenario.default())
>>> point.requests_per_s > 5, 0.9 < point.good_frac <= 1
(True, True)
>>> bill = bill_frame(Scenario.default(), mean_per_s=100.0, point=point)
>>> bill["layer"].tolist()[-1], bool((bill["usd"] > 0).all())
('late answers', True)
>>> sorted(offer.label for offer in offers_for(Scenario.default()))
['API', 'own', 'rent by the hour', 'reserve']
"""

from econ.lessons.l11_tco.bill import (
    bill_frame,
    day_of_deepseek,
    h200,
    lives,
    operating_point,
    phases_frame,
    published_frame,
    use_frame,
    utilisation,
)
from econ.lessons.l11_tco.choices import (
    DAY,
    DEARER,
    offers_for,
    rental,
    seller,
    sizes_of,
    surface_frame,
)
from econ.lessons.l11_tco.panels import (
    bill_chart,
    bill_panel,
    surface_chart,
)
