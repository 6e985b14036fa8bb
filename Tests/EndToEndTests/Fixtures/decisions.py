"""Runs `fuseline plan --json` over folders and prints each one's decisions as a line. Usage: decisions.py PROGRAM FOLDER…

A line is: name, tab, decisions separated by "; ". Series are numbered as in cases.py (the last number of their UID) or,
where several share one or they are real, by Series Number. Slices stand in the order of the stack, as Instance Numbers:

    pair CT-MR 1[1-5] arbitrary + 2[1-5] HU by same-frame over 5
    refuse CT-MR 1 + 2 patient_conflict
    leave 6 not_preferred
    file rejected truncated
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path


def runs(numbers):
    """[1, 2, 3, 7, 6] as 1-3,7-6."""
    if numbers is None:
        return "?"
    parts = []
    for number in numbers:
        if parts and len(parts[-1]) == 1 and abs(number - parts[-1][0]) == 1:
            parts[-1].append(number)
        elif parts and len(parts[-1]) == 2 and number - parts[-1][1] == (1 if parts[-1][1] > parts[-1][0] else -1):
            parts[-1][1] = number
        else:
            parts.append([number])
    return ",".join("-".join(map(str, part)) for part in parts)


def label(uid):
    return uid.rsplit(".", 1)[-1][-6:]


def side(side):
    return f"{label(side['series'])}[{runs(side.get('instances'))}] {side['unit']}"


def decisions(plan):
    for pair in plan["pairs"]:
        over = pair["overlap"]["slices"] if pair.get("overlap") else "?"  # known once the voxels are registered
        yield (f"pair {pair['rule']} {side(pair['fixed'])} + {side(pair['moving'])} by {pair['registration']['kind']} "
               f"over {over}")
    for pair in plan["rejected"]:
        yield f"refuse {pair['rule']} {label(pair['fixed'])} + {label(pair['moving'])} {pair['reason']['code']}"
    for left in sorted(plan["leftOut"], key=lambda left: label(left["series"])):
        yield f"leave {label(left['series'])} {left['reason']['code']}"
    seen = {}
    for file in plan["files"]:
        key = f"file {file['outcome']} {file['reason']['code']}"
        seen[key] = seen.get(key, 0) + 1
    yield from (key if count == 1 else f"{key} ×{count}" for key, count in sorted(seen.items()))
    if plan["instances"]["duplicate"]:
        yield f"file duplicate ×{plan['instances']['duplicate']}"


def plan(program, folder, default):
    settings = folder / "pipeline.yaml"
    if not settings.exists():
        settings = default
    arguments = [program, "plan", "--json", "-c", str(settings), str(folder)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    if done.returncode != 0:
        return [f"exit {done.returncode}: {done.stderr.strip()}"]
    found = json.loads(done.stdout)
    found["files"] = [file for file in found["files"] if Path(file["path"]).name != "pipeline.yaml"]
    return list(decisions(found))


def main():
    program, folders = sys.argv[1], [Path(argument) for argument in sys.argv[2:]]
    with tempfile.TemporaryDirectory() as scratch:
        default = Path(scratch) / "pipeline.yaml"
        default.touch()
        for folder in folders:
            for each in sorted(path for path in folder.iterdir() if path.is_dir()):
                print(f"{each.name}\t{'; '.join(plan(program, each, default))}", flush=True)


main()
