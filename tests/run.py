#!/usr/bin/env python3
"""The whole suite: what `make test` runs.

Three builds: gcc as released, gcc with ASan and UBSan, and clang. All suites run on the first two,
the unit tests on the third. The lab tests of both builds run side by side: they wait more than they
work. What works rather than waits runs beside them with the lowest priority. Every TAP case counts
as one test, as does every program that speaks no TAP. The last line reads "N passed, N failed, N
skipped"; the exit code is 0 only when none failed.

    tests/run.py                    everything
    tests/run.py --build gcc        one of the three: gcc, asan, clang
    tests/run.py --suite lab        one suite
    tests/run.py --soak 600         the long tests alone, about that many seconds each
"""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SUITES_OF_CLANG = ["unit"]
WITH_PATIENCE = ["nice", "-n", "19"]

SANITIZERS = {
    "ASAN_OPTIONS": "halt_on_error=1:abort_on_error=1:detect_leaks=1:strict_string_checks=1:"
                    "detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1",
}

# name, folder, environment of the set-up, options of the set-up
BUILDS = {
    "gcc": ("build", {"CC": "gcc"}, []),
    "asan": ("build-asan", {"CC": "gcc"},
             ["-Db_sanitize=address,undefined", "-Doptimization=1", "-Ddebug=true"]),
    "clang": ("build-clang", {"CC": "clang"}, []),
}


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []  # (build, test, case, reason, output)
        self.skips = []     # (build, test, case, reason)
        self.lock = threading.Lock()

    def line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def say(text=""):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(command, env=None):
    """Runs a step of the build; its output is shown only when it fails."""
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **(env or {})}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, errors="replace")
    if done.returncode != 0:
        say(done.stdout)
    return done.returncode


def build(name):
    folder, env, options = BUILDS[name]
    started = time.monotonic()
    if not os.path.exists(os.path.join(ROOT, folder, "build.ninja")):
        if run(["meson", "setup", folder, *options], env) != 0:
            return False
    if run([*WITH_PATIENCE, "ninja", "-C", folder], env) != 0:
        return False
    say(f"[{name}] built in {time.monotonic() - started:.0f} s")
    return True


CASE = re.compile(r"^(not )?ok\b\s*(\d+)?\s*(?:- ?)?(.*?)(?:\s+#\s*(skip|todo)\S*\s*(.*))?$", re.I)


def cases(output):
    """The TAP cases of a program's output: (passed, skipped, name, reason)."""
    for text in output.splitlines():
        match = CASE.match(text)
        if match:
            bad, number, name, directive, reason = match.groups()
            skipped = bool(directive) and directive.lower() == "skip"
            yield (not bad, skipped, name or number or "?", reason or "")


def count(tally, name, record):
    """Adds one entry of meson's log to the tally; returns what to say about it."""
    test = record["name"]
    output = (record.get("stdout") or "") + (record.get("stderr") or "")
    result = record["result"]
    found = list(cases(record.get("stdout") or ""))
    plan_skip = re.search(r"^1\.\.0\s*#\s*skip\S*\s*(.*)$", record.get("stdout") or "", re.I | re.M)
    good = bad = skipped = 0
    for passed, was_skipped, case, reason in found:
        if was_skipped:
            skipped += 1
            tally.skips.append((name, test, case, reason))
        elif passed:
            good += 1
        else:
            bad += 1
            tally.failures.append((name, test, case, "not ok", output))
    if not found:
        if result == "SKIP":
            skipped += 1
            tally.skips.append((name, test, "all", plan_skip.group(1) if plan_skip else ""))
        elif result == "OK":
            good += 1
    if result not in ("OK", "SKIP") and bad == 0:
        # Crashed, timed out, or broke its plan: a failure although every case it printed is fine.
        bad += 1
        tally.failures.append((name, test, "the program", f"{result}, exit {record['returncode']}",
                               output))
    with tally.lock:
        tally.passed += good
        tally.failed += bad
        tally.skipped += skipped
    return (f"{'FAIL' if bad else 'ok':4} {test}: {good} passed"
            + (f", {bad} failed" if bad else "") + (f", {skipped} skipped" if skipped else "")
            + f"  ({record['duration']:.1f} s)")


def follow(path, offset):
    """The complete lines that were appended to a file since `offset`."""
    try:
        with open(path, "rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return [], offset
    end = data.rfind(b"\n") + 1
    return data[:end].splitlines(), offset + end


def test(tally, name, suites, extra_env, without=()):
    """Runs meson's tests of one build, counting as they end."""
    folder = BUILDS[name][0]
    base = "lab" if suites == ["lab"] else "testlog"
    log = os.path.join(ROOT, folder, "meson-logs", f"{base}.json")
    if os.path.exists(log):
        os.unlink(log)
    command = [] if base == "lab" else WITH_PATIENCE.copy()
    command += ["meson", "test", "-C", folder, "--no-rebuild", "--logbase", base]
    for suite in suites:
        command += ["--suite", suite]
    for suite in without:
        command += ["--no-suite", suite]
    env = {**os.environ, **SANITIZERS, **extra_env, "PYTHONUNBUFFERED": "1",
           "HW_BUILD": os.path.join(ROOT, folder)}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    offset = seen = 0
    tail = []
    try:
        for text in process.stdout:
            tail = tail[-30:] + [text]
            lines, offset = follow(log, offset)
            for record in lines:
                seen += 1
                say(f"[{name}] {count(tally, name, json.loads(record))}")
        process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    lines, offset = follow(log, offset)
    for record in lines:
        seen += 1
        say(f"[{name}] {count(tally, name, json.loads(record))}")
    if seen == 0 and "No suitable tests" not in "".join(tail) and "No tests" not in "".join(tail):
        tally.failed += 1
        tally.failures.append((name, "meson test", "no test ran", f"exit {process.returncode}",
                               "".join(tail)))


def wanted(name, suites):
    """What of the suites that were asked for (all, if none were) a build runs beside the lab's."""
    if name == "clang":
        return [suite for suite in SUITES_OF_CLANG if not suites or suite in suites]
    return [suite for suite in suites if suite != "lab"]


def run_all(tally, names, suites):
    """Builds, and runs the suites that were asked for."""
    def build_or_fail(name):
        say(f"[{name}] building")
        if build(name):
            return [name]
        tally.failed += 1
        tally.failures.append((name, "build", "compile and link", "see above", ""))
        return []

    usable = [x for name in names if name != "clang" for x in build_or_fail(name)]
    labs = [threading.Thread(target=test, args=(tally, name, ["lab"], {}))
            for name in usable if not suites or "lab" in suites]
    for thread in labs:
        thread.start()
    usable += [x for name in names if name == "clang" for x in build_or_fail(name)]
    for name in usable:
        if wanted(name, suites) or not suites:
            test(tally, name, wanted(name, suites), {}, without=["lab"])
    for thread in labs:
        thread.join()


def report(tally, started):
    for name, test_name, case, reason in tally.skips:
        say(f"skipped  [{name}] {test_name}: {case}: {reason or 'no reason given'}")
    shown = set()
    for name, test_name, case, reason, output in tally.failures:
        say(f"FAILED   [{name}] {test_name}: {case} ({reason})")
        if (name, test_name) not in shown:
            shown.add((name, test_name))
            lines = output.splitlines()
            for text in lines[-200:]:
                say(f"    | {text}")
    say(f"{time.monotonic() - started:.0f} s in all")
    say(tally.line())
    return 1 if tally.failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", choices=list(BUILDS), action="append")
    parser.add_argument("--suite", action="append", default=[])
    parser.add_argument("--soak", type=int, metavar="SECONDS")
    options = parser.parse_args()
    started = time.monotonic()
    tally = Tally()

    if options.soak:
        if build("gcc"):
            test(tally, "gcc", ["soak"], {"HW_SOAK_SECONDS": str(options.soak)})
        else:
            tally.failed += 1
    else:
        run_all(tally, options.build or list(BUILDS), options.suite)
    return report(tally, started)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
