"""Every decision about a drop folder, as one small folder of files each. Usage: cases.py FOLDER

What is expected of each stands in expected.tsv under the same name. A case is a function; its name is the case's.
"""

import sys
from pathlib import Path

import cases_geometry  # noqa: F401  Each brings its cases along.
import cases_ladder  # noqa: F401
import cases_selection  # noqa: F401
import cases_values  # noqa: F401
from scanner import CASES, Case


def main():
    for number, write in enumerate(CASES, start=1):
        write(Case(Path(sys.argv[1]) / write.__name__, number))


main()
