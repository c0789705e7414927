"""Currencies and units that may stand next to a number in a cell of text."""

from __future__ import annotations

CURRENCIES = (
    *("R$", "US$", "A$", "C$", "$", "€", "£", "¥", "₹", "₩", "₽", "₺", "₫", "₪", "₴", "₦", "฿", "zł", "kr", "Kč", "Ft"),
    *("USD", "EUR", "GBP", "JPY", "CHF", "CNY", "INR", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF"),
    *("BRL", "MXN", "ZAR", "TRY", "KRW", "RUB", "SGD", "HKD"),
)
"""Signs and codes of currencies that may stand before or after a number."""

UNITS = tuple(
    """
    kg g mg µg μg ug t lb lbs oz km m dm cm mm µm μm um nm mi miles ft in inch inches yd ha acres l L dl dL cl cL
    ml mL gal m2 m² km2 km² cm2 cm² ft2 ft² sqm sqft m3 m³ cm3 cm³ s sec secs seconds ms µs μs us ns min mins
    minutes h hr hrs hours d day days wk weeks mo months y yr yrs year years km/h kmh kph mph m/s kn rpm bpm °C ℃
    °F ℉ ° K Pa hPa kPa MPa bar mbar psi mmHg W kW MW GW Wh kWh MWh V mV kV mA Ah mAh Ω Ohm ohm Hz kHz MHz GHz J
    kJ MJ cal kcal N kN Nm hp HP PS cc dB lx lm kB KB MB GB TB KiB MiB GiB Mbps px pt ‰ ppm ppb mol mmol mg/dl
    mg/dL mmol/l mmol/L mg/l mg/L g/l g/L g/km l/100km mpg IU pcs x k M Mio mio
    """.split()  # noqa: SIM905 - 150 of them
)
"""Units that may stand after a number, where all cells of a column that have a unit have the same."""
