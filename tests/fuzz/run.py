#!/usr/bin/env python3
"""Runs every libFuzzer target for a while: what `make fuzz` does.

New inputs go to BUILD/tests/fuzz/found/NAME, crashes beside them; the committed corpora are only read.
The exit code is 0 only when no target crashed.

    tests/fuzz/run.py --build build-fuzz --seconds 60 [NAME ...]
"""

import argparse
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def targets(folder):
    return sorted(f[len("fuzz_"):] for f in os.listdir(folder)
                  if f.startswith("fuzz_") and os.access(os.path.join(folder, f), os.X_OK)
                  and os.path.isfile(os.path.join(folder, f)))


def fuzz(folder, name, seconds):
    found = os.path.join(folder, "found", name)
    os.makedirs(found, exist_ok=True)
    log = os.path.join(folder, "found", name + ".log")
    command = [os.path.join(folder, "fuzz_" + name), found, os.path.join(HERE, "corpus", name),
               f"-max_total_time={seconds}", "-timeout=5", "-rss_limit_mb=1024",
               "-print_final_stats=1", "-artifact_prefix=" + found + "-"]
    with open(log, "w") as out:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out,
                              stderr=subprocess.STDOUT).returncode
    with open(log, errors="replace") as text:
        lines = text.read().splitlines()
    runs = next((l.split()[-1] for l in lines if "number_of_executed_units" in l), "?")
    print(f"{name:<20} {'ok' if code == 0 else 'CRASH':<6} {runs:>12} runs   {log}", flush=True)
    if code != 0:
        print("\n".join(lines[-40:]), flush=True)
    return code == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("names", nargs="*")
    args = parser.parse_args()
    folder = os.path.join(args.build, "tests", "fuzz")
    names = args.names or targets(folder)
    if not names:
        sys.exit(f"no fuzz targets in {folder}: configure with CC=clang and -Dfuzz=true")
    good = [fuzz(folder, name, args.seconds) for name in names]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
