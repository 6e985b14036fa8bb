"""Prints random PET headers and the SUVbw factor each leads to, worked out with Python's own dates. Usage: suv.py COUNT

Tab-separated: decay correction, weight (kg), dose (Bq), half-life (s), start time, start date and time, series date,
series time, acquisition date, acquisition time, factor. SUVbw = factor * Bq/ml, factor = weight in g / dose left at the
time the activity is corrected to (QIBA's vendor-neutral rule; DICOM PS3.3 C.8.9.1.1).
"""

import random
import sys
from datetime import datetime, timedelta

HALF_LIVES = {"F-18": 6586.2, "C-11": 1223.4, "Ga-68": 4062.6, "Cu-64": 45723.6, "Zr-89": 282276.0}


def main():
    draw = random.Random(20260101)
    for _ in range(int(sys.argv[1])):
        weight, dose = round(draw.uniform(3, 180), 1), round(draw.uniform(2e7, 6e8))
        half_life = draw.choice(list(HALF_LIVES.values()))
        correction = draw.choice(["START", "START", "START", "ADMIN"])
        injected = datetime(2024, draw.randint(1, 12), draw.randint(1, 28), draw.randint(0, 23), draw.randint(0, 59),
                            draw.randint(0, 59))
        waited = timedelta(seconds=draw.randint(60, int(min(23 * 3600, 6 * half_life))))
        scan = injected + waited
        acquired = scan + timedelta(seconds=draw.choice([0, 1, 200]))
        with_date = draw.random() < 0.5
        left = dose * 0.5 ** (waited.total_seconds() / half_life) if correction == "START" else dose
        clock, day = "%H%M%S", "%Y%m%d"
        print(correction, weight, dose, half_life, "" if with_date else injected.strftime(clock),
              injected.strftime(day + clock) + ".00" if with_date else "", scan.strftime(day), scan.strftime(clock),
              acquired.strftime(day), acquired.strftime(clock), repr(weight * 1000 / left), sep="\t")


main()
