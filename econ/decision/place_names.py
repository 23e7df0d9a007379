"""Places as people call them: cities of data centres, and countries in their own language.

>>> place_named("Frankfurt am Main"), place_named("São Paulo"), place_named("Österreich")
('germany', 'brazil', '')
"""

from __future__ import annotations

import unicodedata

# site -> what else its place is called, without accents
NAMES = {
    "australia": "sydney, melbourne",
    "belgium": "belgie, belgique, bruxelles, brussels",
    "brazil": "brasil, sao paulo",
    "canada": "montreal, toronto, quebec, calgary",
    "denmark": "danmark, copenhagen, kobenhavn",
    "finland": "suomi, hamina, helsinki",
    "france": "paris, marseille, frankreich",
    "germany": "deutschland, allemagne, alemania, frankfurt, frankfurt am main, berlin, munich, "
    "munchen, falkenstein",
    "india": "mumbai, hyderabad, delhi, pune, bharat",
    "indonesia": "jakarta",
    "ireland": "eire, dublin, irland",
    "italy": "italia, italien, milano, milan, turin",
    "japan": "nihon, nippon, tokyo, osaka",
    "malaysia": "kuala lumpur, johor",
    "mexico": "queretaro",
    "netherlands": "nederland, niederlande, holland, amsterdam, eemshaven",
    "norway": "norge, oslo",
    "poland": "polska, polen, warszawa, warsaw",
    "singapore": "singapur",
    "south-africa": "johannesburg, cape town",
    "south-korea": "korea, seoul",
    "spain": "espana, spanien, madrid, zaragoza, aragon",
    "sweden": "sverige, schweden, stockholm, gavle",
    "switzerland": "schweiz, suisse, svizzera, zurich, geneve, geneva",
    "taiwan": "taipei, changhua",
    "united-arab-emirates": "uae, dubai, abu dhabi",
    "united-kingdom": "uk, gb, great britain, england, london, cardiff",
    "united-states": "usa, us",
    "us-iowa": "council bluffs, des moines",
    "us-ohio": "columbus",
    "us-oregon": "the dalles",
    "us-texas": "dallas",
    "us-virginia": "ashburn, northern virginia",
}
_SITES = {name: site for site, names in NAMES.items() for name in names.split(", ")}


def place_named(typed: str) -> str:
    """The site of a place as people call it; empty where nobody here knows it."""
    letters = unicodedata.normalize("NFKD", typed.casefold().strip().replace("ø", "o"))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return _SITES.get(" ".join(plain.replace("-", " ").split()), "")
