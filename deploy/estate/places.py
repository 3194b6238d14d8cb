"""Where customers live: names, streets and towns of four countries, and what a postcode looks like in each."""

import random
import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Country:
    """One country: its currency, its people, and towns as (town, region, region code, postcode pattern)."""

    code: str
    name: str
    currency: str
    postcode: re.Pattern[str]
    example: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[tuple[str, str, str, str], ...]
    number_first: bool = True

    def address(self, dice: random.Random) -> dict[str, str]:
        """A made-up address; `#` and `?` in a town's pattern stand for any digit and letter."""
        town, region, region_code, pattern = dice.choice(self.towns)
        street, number = dice.choice(self.streets), str(dice.randint(1, 180))
        return {
            "street": f"{number} {street}" if self.number_first else f"{street} {number}",
            "city": town,
            "region": region,
            "region_code": region_code,
            "postcode": "".join(_drawn(sign, dice) for sign in pattern),
        }


def _drawn(sign: str, dice: random.Random) -> str:
    if sign == "#":
        return str(dice.randint(0, 9))
    if sign == "?":
        return dice.choice("ABDEFGHJLNPQRSTUWXYZ")  # letters that the second half of a British postcode has
    return sign


COUNTRIES: Final[dict[str, Country]] = {
    country.code: country
    for country in (
        Country(
            "GB", "United Kingdom", "GBP", re.compile(r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}"), "LS1 4AP",
            ("Amelia", "Harriet", "Imogen", "Priya", "Callum", "Owen", "Rhys", "Tariq", "Niamh", "George"),
            ("Ashworth", "Barlow", "Cartwright", "Desai", "Eccles", "Fairclough", "Hargreaves", "Okafor", "Pryce"),
            ("Chapel Lane", "Mill Road", "Station Road", "Orchard Close", "Victoria Terrace", "Abbey Walk"),
            (
                ("Leeds", "West Yorkshire", "", "LS1 #??"), ("Sheffield", "South Yorkshire", "", "S1 #??"),
                ("Bristol", "Bristol", "", "BS1 #??"), ("Cardiff", "Cardiff", "", "CF1 #??"),
                ("Glasgow", "Glasgow", "", "G1 #??"), ("Norwich", "Norfolk", "", "NR1 #??"),
            ),
        ),
        Country(
            "DE", "Germany", "EUR", re.compile(r"\d{5}"), "50667",
            ("Anke", "Birgit", "Clara", "Emine", "Jonas", "Lukas", "Matthias", "Sören", "Tobias", "Ulrike"),
            ("Albrecht", "Brandt", "Dietrich", "Falk", "Hoffmann", "Köhler", "Lindner", "Özdemir", "Vogt"),
            ("Lindenstraße", "Am Markt", "Bahnhofstraße", "Gartenweg", "Goethestraße", "Schulstraße"),
            (
                ("Köln", "Nordrhein-Westfalen", "NW", "506##"), ("Leipzig", "Sachsen", "SN", "041##"),
                ("Hamburg", "Hamburg", "HH", "204##"), ("München", "Bayern", "BY", "803##"),
                ("Freiburg", "Baden-Württemberg", "BW", "791##"),
            ),
            number_first=False,
        ),
        Country(
            "US", "United States", "USD", re.compile(r"\d{5}(-\d{4})?"), "97205",
            ("Abigail", "Caleb", "Deshawn", "Elena", "Grace", "Hector", "Maya", "Noah", "Sofia", "Wyatt"),
            ("Aldridge", "Bennett", "Castillo", "Delgado", "Freeman", "Huang", "Jefferson", "Nguyen", "Whitaker"),
            ("Maple Street", "Cedar Avenue", "Lakeview Drive", "2nd Street", "Juniper Court", "Hill Road"),
            (
                ("Portland", "Oregon", "OR", "972##"), ("Denver", "Colorado", "CO", "802##"),
                ("Asheville", "North Carolina", "NC", "288##"), ("Duluth", "Minnesota", "MN", "558##"),
                ("Burlington", "Vermont", "VT", "054##"),
            ),
        ),
        Country(
            "BR", "Brazil", "BRL", re.compile(r"\d{5}-?\d{3}"), "01310-100",
            ("Ana", "Beatriz", "Caio", "Débora", "Felipe", "Iara", "João", "Larissa", "Rafael", "Thiago"),
            ("Almeida", "Barbosa", "Carvalho", "Duarte", "Ferreira", "Guimarães", "Moreira", "Nogueira", "Tavares"),
            ("Rua das Flores", "Avenida Central", "Rua do Comércio", "Travessa do Sol", "Rua São José"),
            (
                ("São Paulo", "São Paulo", "SP", "0131#-###"), ("Curitiba", "Paraná", "PR", "8001#-###"),
                ("Recife", "Pernambuco", "PE", "5003#-###"), ("Porto Alegre", "Rio Grande do Sul", "RS", "9001#-###"),
            ),
            number_first=False,
        ),
    )
}  # fmt: skip


def postcode_problem(postcode: object, country: str) -> str:
    """What is wrong with `postcode` for `country`, in words; empty if nothing is."""
    known = COUNTRIES.get(country)
    if known is None:
        return ""
    if not isinstance(postcode, str) or not postcode.strip():
        return f"A postcode is required for {known.name}."
    if not known.postcode.fullmatch(postcode.strip().upper()):
        return f"{postcode!r} is no postcode of {known.name}; one looks like {known.example}."
    return ""
