#!/usr/bin/env python3
"""Runs scenarios and holds them to what they expect; draws random ones and holds those to the oracle.

    scenarios.py --hawser PROGRAM --folder sim/scenarios [--skip NAME]... [NAME...]
    scenarios.py --hawser PROGRAM --folder sim/numbers --each RUNS [--skip NAME]... [NAME...]
    scenarios.py --hawser PROGRAM --random FIRST COUNT
    scenarios.py --hawser PROGRAM --folder sim/scenarios --program
    scenarios.py --hawser PROGRAM --folder sim/numbers --soak

Speaks TAP: a line for each expectation, and one for the invariants of each run. --each holds every one of
so many runs to what is expected, and says how the figures spread. --program tests the subcommand itself:
repetition by seed, messages, exit codes. --soak runs the numbers with 100 new seeds each, then draws new
random scenarios for as long as HW_SOAK_SECONDS says, starting from the time of day, which it prints.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

MET, NOT_MET, USAGE, SCENARIO, VIOLATION = 0, 1, 2, 3, 5
BATCH = 50  # random scenarios in one go


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def line(self, good, what, detail=""):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {what.replace('#', '')}", flush=True)
        if not good:
            for text in detail.splitlines():
                print(f"# {text}")

    def end(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def sim(hawser, *args):
    done = subprocess.run([hawser, "sim", *map(str, args)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def run_scenario(tap, hawser, path):
    name = path.stem
    code, out, err = sim(hawser, path, "--json")
    try:
        result = json.loads(out)
    except ValueError:
        tap.line(False, f"{name}: runs", f"exit code {code}\n{err}")
        return
    tap.line(result["violation"] is None and code != VIOLATION,
             f"{name}: every invariant held over {result['transmissions']} transmissions", err)
    for expect in result["expect"]:
        tap.line(expect["met"], f"{name}: {expect['text']}", f"seed {result['seed']}")
    tap.line(code == (MET if all(e["met"] for e in result["expect"]) else NOT_MET),
             f"{name}: the exit code says so", f"exit code {code}\n{err}")


def run_each(tap, hawser, path, runs, seed=None):
    """Every one of so many runs must keep every bound; the TAP lines say how the values spread."""
    name = path.stem
    code, out, err = sim(hawser, path, "--each", "--json", "--runs", runs,
                         *(["--seed", seed] if seed is not None else []))
    try:
        result = json.loads(out)
    except ValueError:
        tap.line(False, f"{name}: runs", f"exit code {code}\n{err}")
        return
    tap.line(result["violation"] is None and code != VIOLATION,
             f"{name}: every invariant held in {runs} runs from seed {result['seed']}", err)
    for e in result["expect"]:
        tap.line(e["met"] == e["runs"],
                 f"{name}: {e['value']}: median {e['median']:.6g}, 90 % {e['p90']:.6g}, "
                 f"worst {e['worst']:.6g} (seed {e['worst_seed']})",
                 f"met in {e['met']} of {e['runs']}")


def run_random(tap, hawser, first, count):
    for seed in range(first, first + count, BATCH):
        runs = min(BATCH, first + count - seed)
        code, out, err = sim(hawser, "--random", "--seed", seed, "--runs", runs)
        tap.line(code == MET, f"random seeds {seed} to {seed + runs - 1}: {out.strip()}",
                 f"exit code {code}\n{err}")


def soak(tap, hawser, folder):
    until = time.monotonic() + float(os.environ.get("HW_SOAK_SECONDS", "60"))
    seed = int(time.time()) * 1000
    for path in sorted(folder.glob("*.yaml")):
        run_each(tap, hawser, path, 100, seed)
    while time.monotonic() < until:
        run_random(tap, hawser, seed, BATCH)
        seed += BATCH


# --- the subcommand itself ------------------------------------------------------------------------


SMALL = """
name: small
duration: 10s
links:
  - name: one
    both: {rate: 2Mbit/s, delay: 20ms, jitter: 5ms, reorder: on, loss: 5%, queue: 20kB}
  - name: two
    both: {delay: 50ms, bursts: {loss: 5%, mean: 10}, duplicate: 5%, corrupt: 2%}
traffic:
  - {name: call, kind: voice}
  - {name: film, kind: video, from: hub, rate: 1Mbit/s}
  - {name: bulk, kind: tcp}
"""

# What is wrong, and what the message must say: place, and the way out.
WRONG = [
    ("links:\n  - {name: a, both: {los: 5%}}\n", ":2:22: error: links[0].both: unknown key 'los': did you mean 'loss'?"),
    ("links:\n  - {name: a, both: {loss: 105%}}\n", ":2:28: error: links[0].both.loss: '105%' is not right"),
    ("links:\n  - {name: a, both: {delay: 5}}\n", ":2:29: error: links[0].both.delay: '5' is not right: expected a time"),
    ("links:\n  - {name: a, both: {rate: -1Mbit/s}}\n", "links[0].both.rate"),
    ("links:\n  - {name: a, both: {bursts: {loss: 50%, mean: 0.5}}}\n", "must be longer"),
    ("links:\n  - {name: a, both: {bursts: {loss: 50%, p: 0.5}}}\n", "either loss and mean, or p and r"),
    ("links:\n  - {name: a, both: {outages: [{from: 2s, to: 1s}]}}\n", "ends before it begins"),
    ("links:\n  - {name: a, both: {capacity: {file: /nonexistent}}}\n", "cannot read /nonexistent"),
    ("links:\n  - {name: a}\n  - {name: a}\n", "the name 'a' is used twice"),
    ("traffic: []\n", "'links' is missing"),
    ("links: []\n", "there must be at least one"),
    ("links:\n  - {name: a}\nmode: redundnat\n", ":3:7: error: mode: 'redundnat' is not right"),
    ("links:\n  - {name: a}\ntraffic:\n  - {name: t, kind: pong}\n", "did you mean 'ping'?"),
    ("links:\n  - {name: a}\ntraffic:\n  - {name: t, kind: ping, over: b}\n", "there is no link 'b'"),
    ("links:\n  - {name: a}\ntraffic:\n  - {name: t, kind: ping, size: 59}\n", "size must be from 60 to 1900"),
    ("links:\n  - {name: a}\nevents:\n  - {at: 2s, do: cut}\n", "'cut' needs link"),
    ("links:\n  - {name: a}\nevents:\n  - {at: 2s, do: restart, link: a}\n", "'restart' needs node"),
    ("links:\n  - {name: a}\nevents:\n  - {at: 2s, do: cut, link: a}\n  - {at: 1s, do: restore, link: a}\n",
     "in the order of their times"),
    ("links:\n  - {name: a}\nevents:\n  - {at: 2s, do: flap, link: a}\n", "'flap' needs hz"),
    ("links:\n  - {name: a}\nevents:\n  - {at: 2s, do: mtu, link: a}\n", "'mtu' needs mtu"),
    ("links:\n  - {name: a}\njoint:\n  - {links: [b], bad: 10%}\n", "there is no link 'b'"),
    ("links:\n  - {name: a}\njoint:\n  - {links: [a], bad: 30%, lift: 4}\n", "such spells cannot be"),
    ("links:\n  - {name: a}\ntraffic:\n  - {name: t, kind: voice, off: 5s}\n", "on and off belong together"),
    ("links:\n  - {name: a}\nexpect:\n  - {of: b, value: lost, is: 0}\n", "no traffic or link 'b'"),
    ("links:\n  - {name: a}\nexpect:\n  - {of: a, value: frames, is: 0}\n", "has no value 'frames'"),
    ("links:\n  - {name: a}\nexpect:\n  - {of: a, value: lost}\n", "expected min, max, is or near"),
    ("links:\n  - {name: a\n", "error"),
    ("- a\n- b\n", "expected a mapping"),
]


def write(folder, text):
    path = pathlib.Path(folder) / "scenario.yaml"
    path.write_text(text)
    return path


def without_time(text):
    result = json.loads(text)
    del result["seconds"]
    return result


def test_repeats(tap, hawser, folder):
    path = write(folder, SMALL)
    first = sim(hawser, path, "--seed", 5, "--json")
    again = sim(hawser, path, "--seed", 5, "--json")
    other = sim(hawser, path, "--seed", 6, "--json")
    tap.line(without_time(first[1]) == without_time(again[1]), "the same seed gives the same result")
    tap.line(without_time(first[1])["traffic"] != without_time(other[1])["traffic"],
             "another seed gives another")
    both = json.loads(sim(hawser, path, "--seed", 5, "--runs", 2, "--json")[1])
    sums = [json.loads(run[1])["traffic"][0]["there"]["delivered"] for run in (first, other)]
    tap.line(both["traffic"][0]["there"]["delivered"] == sum(sums) and both["runs"] == 2,
             "two runs are the sum of both", f"{both['traffic'][0]} {sums}")


def test_suites(tap, hawser, folder):
    path = write(folder, SMALL)
    results = {}
    for suite in ("null", "chacha20-poly1305", "aes-256-gcm"):
        code, out, err = sim(hawser, path, "--suite", suite, "--json")
        results[suite] = json.loads(out) if code == MET else {}
        tap.line(code == MET and results[suite]["suite"] == suite, f"runs under {suite}", err)
    tap.line(len({r["traffic"][0]["there"]["delivered"] for r in results.values() if r}) == 1,
             "the suite changes nothing of what is delivered")
    code, _, err = sim(hawser, path, "--suite", "rot13")
    tap.line(code == USAGE and "no suite 'rot13'" in err, "an unknown suite is refused", err)


def test_messages(tap, hawser, folder):
    for text, message in WRONG:
        code, out, err = sim(hawser, write(folder, text))
        tap.line(code == SCENARIO and message in err and "scenario.yaml" in err,
                 f"says: {message}", f"exit code {code}\n{out}{err}")
    code, _, err = sim(hawser, pathlib.Path(folder) / "missing.yaml")
    tap.line(code == SCENARIO and "cannot read" in err, "a missing file is told", err)
    for args in ([], ["a", "b"], ["--seed"], ["--seed", "x"], ["--runs", "0", "a"], ["--random", "a"]):
        code, _, err = sim(hawser, *args)
        tap.line(code == USAGE and "usage" in err, f"usage for: sim {' '.join(args)}", err)


def test_expectations(tap, hawser, folder):
    good = SMALL + "expect:\n  - {of: call, value: sent, min: 400}\n  - {of: one, value: loss, near: 5%}\n"
    bad = SMALL + "expect:\n  - {of: call, value: sent, max: 10}\n"
    wrong_share = SMALL + "expect:\n  - {of: call, value: loss, near: 50%}\n"
    code, out, err = sim(hawser, write(folder, bad))
    tap.line(code == NOT_MET and "not as expected: call.sent" in err, "a broken bound is told", err)
    code, out, err = sim(hawser, write(folder, wrong_share))
    tap.line(code == NOT_MET and "interval" in err, "a wrong probability is told", err)
    code, out, err = sim(hawser, write(folder, good.replace("  - {of: one, value: loss, near: 5%}\n", "")))
    tap.line(code == MET and "as expected: call.sent" in out, "a kept bound too", err)


def test_each(tap, hawser, folder):
    text = SMALL + "expect:\n  - {of: call, value: lost, max: 0}\n  - {of: call, value: sent, is: 450}\n"
    path = write(folder, text)
    lost = [json.loads(sim(hawser, path, "--seed", seed, "--json")[1])["traffic"][0]["there"]["lost"]
            for seed in range(5, 10)]
    code, out, err = sim(hawser, path, "--seed", 5, "--runs", 5, "--each", "--json")
    first, second = json.loads(out)["expect"]
    tap.line((first["highest"], first["median"], first["met"]) ==
             (max(lost), sorted(lost)[2], lost.count(0)) and first["worst_seed"] == 5 + lost.index(max(lost)),
             "each run is judged alone, and the worst is named", f"{lost} {first}")
    tap.line(second["met"] == 5 and code == (MET if max(lost) == 0 else NOT_MET), "and the exit code says so",
             f"{code} {out}{err}")


def test_table(tap, hawser, folder):
    code, out, _ = sim(hawser, write(folder, SMALL), "--runs", 3)
    wide = [line for line in out.splitlines() if len(line) > 80]
    tap.line(code == MET and not wide, "the table fits 80 columns", "\n".join(wide))
    tap.line(all(word in out for word in ("suite null", "seed 1 to 3", "residual", "p99.9", "overhead")),
             "and names suite, seeds, residual loss, delays and overhead", out)


def test_program(tap, hawser):
    with tempfile.TemporaryDirectory() as folder:
        for test in (test_repeats, test_suites, test_messages, test_expectations, test_each, test_table):
            test(tap, hawser, folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--hawser", required=True)
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--skip", action="append", default=[])
    parser.add_argument("--each", type=int, metavar="RUNS")
    parser.add_argument("--random", nargs=2, type=int, metavar=("FIRST", "COUNT"))
    parser.add_argument("--program", action="store_true")
    parser.add_argument("--soak", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    tap = Tap()
    if options.random:
        run_random(tap, options.hawser, *options.random)
    elif options.program:
        test_program(tap, options.hawser)
    elif options.soak:
        soak(tap, options.hawser, options.folder)
    else:
        for path in sorted(options.folder.glob("*.yaml")):
            if path.stem not in options.skip and (not options.names or path.stem in options.names):
                if options.each:
                    run_each(tap, options.hawser, path, options.each)
                else:
                    run_scenario(tap, options.hawser, path)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
