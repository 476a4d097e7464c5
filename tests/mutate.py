#!/usr/bin/env python3
"""Mutation of accept/reject decisions: does a test notice when a check is wrong?

Each decision in the files below (a condition of an `if`, or what a function returns as its verdict)
is changed: negated, never taken, an operand of && or || left out, a bound moved by one. Each mutant is
compiled in a temporary folder and the unit tests of its module are run; a mutant that passes them all
has survived. Survivors are either gaps in the tests, or equivalent to the original: the latter are
explained in docs/security.md, "Equivalent mutants".

    tests/mutate.py                        all files, two mutants at a time
    tests/mutate.py src/core/rx.c          one of them
    tests/mutate.py --list src/core/rx.c   show the mutants, run nothing

The order and the set of mutants depend on the source alone. Exit code 1 when any survives that
docs/security.md does not name.
"""

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Tests of each file, the quickest first.
CORE_TESTS = ["receive", "core", "hostile", "life", "hostile_peer", "forged", "links", "no_memory"]
FILES = {
    "src/session/replay.c": ["replay", "session", "no_memory"],
    "src/session/stamp.c": ["stamp", "session"],
    "src/session/session.c": ["session", "slots", "core", "no_memory"],
    "src/session/handshake.c": ["handshake", "core", "no_memory"],
    "src/path/candidate.c": ["path_table", "hostile", "promises", "hostile_peer"],
    "src/crypto/cookie.c": ["cookie", "hostile", "no_memory"],
    "src/wire/control.c": ["control_frames"],
    "src/core/limiter.c": ["hostile", "no_memory"],
    "src/core/handshake.c": CORE_TESTS,
    "src/core/rx.c": CORE_TESTS,
}
CORE_FOLDERS = ["base", "wire", "crypto", "session", "path", "sched", "frame", "core"]
USE_WORLD = {*CORE_TESTS, "promises"}      # link world.c
WITH_HEAP = {"hostile_peer", "no_memory"}  # link memory.c
WRAP = "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free"
CC = [os.environ.get("CC", "gcc"), "-std=c17", "-D_GNU_SOURCE", "-O1", "-w", "-fno-strict-aliasing",
      "-I", "src", "-I", "."]
LIBS = ["-lcmocka", "-lcrypto", "-llz4", "-lm"]
TEST_SECONDS = 240
# Known to be equivalent: named in the documentation by what --list prints in front of the colon.
EQUIVALENT = os.path.join(ROOT, "docs", "security.md")


class Mutant:
    def __init__(self, path, start, end, old, new, kind, line):
        self.path, self.start, self.end, self.old, self.new = path, start, end, old, new
        self.kind, self.line = kind, line

    def name(self):
        text = " ".join(self.old.split())
        return f"{self.path[4:]} `{text}` {self.kind}"

    def source(self, text):
        return text[:self.start] + self.new + text[self.end:]


def blank_comments(text):
    """The same text, same length, with comments and strings blanked."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"", blank, text, flags=re.S)


def closing(text, at):
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return i
    raise ValueError("unbalanced")


def operands(text, operator):
    """Spans of the operands of a top-level && or ||; fewer than two: none."""
    spans, depth, start, i = [], 0, 0, 0
    while i < len(text):
        depth += text[i] in "([" and 1 or (text[i] in ")]" and -1 or 0)
        if depth == 0 and text.startswith(operator, i):
            spans.append((start, i))
            start = i + 2
            i += 1
        i += 1
    spans.append((start, len(text)))
    return spans if len(spans) > 1 else []


def decisions(clean):
    """(start, end) of each condition and each verdict."""
    for match in re.finditer(r"\bif \(", clean):
        end = closing(clean, match.end() - 1)
        yield match.end(), end
    for match in re.finditer(r"\breturn ([^;]+);", clean):
        if re.search(r"==|!=|<=|>=|&&|\|\||[^-]>|<|!|_ct\(|valid\(|check\(", match.group(1)):
            yield match.start(1), match.end(1)


def mutants_of(path):
    with open(os.path.join(ROOT, path)) as file:
        text = file.read()
    clean = blank_comments(text)
    found = []

    def add(start, end, new, kind):
        found.append(Mutant(path, start, end, text[start:end], new, kind,
                            text.count("\n", 0, start) + 1))
    for start, end in sorted(decisions(clean)):
        body = text[start:end]
        ternary = "?" in clean[start:end]
        if not ternary:
            add(start, end, f"!({body})", "negated")
            add(start, end, f"(({body}), 0)", "never")
        for operator in ("&&", "||"):
            spans = operands(clean[start:end], operator)
            # With || at the top, an && below it is part of an operand.
            if not spans or (operator == "&&" and operands(clean[start:end], "||")):
                continue
            for number, _ in enumerate(spans):
                rest = [body[a:b] for i, (a, b) in enumerate(spans) if i != number]
                add(start, end, operator.join(rest), f"without operand {number + 1}")
        for match in re.finditer(r"(?<![-<>=!])(<=|>=|<|>)(?![<>=])", clean[start:end]):
            old = match.group()
            new = old[0] if len(old) == 2 else old + "="
            whole = body[:match.start()] + new + body[match.end():]
            if re.search(r"\w *< *0$|< 0\b", body[match.start() - 3:match.end() + 2]) and old == "<":
                # An error is negative, and success 0: this is the negation in another dress.
                continue
            add(start, end, whole, f"{old} as {new} at {match.start()}")
    return found


def compile_all(work):
    """Objects of the core, and of the tests; returns the core's objects by source."""
    jobs, objects = [], {}
    for folder in CORE_FOLDERS:
        for name in sorted(os.listdir(os.path.join(ROOT, "src", folder))):
            if name.endswith(".c"):
                source = f"src/{folder}/{name}"
                objects[source] = os.path.join(work, f"{folder}-{name}.o")
                jobs.append((source, objects[source]))
    names = sorted({t for tests in FILES.values() for t in tests})
    for name in [f"test_{t}" for t in names] + ["world", "memory"]:
        jobs.append((f"tests/unit/{name}.c", os.path.join(work, f"{name}.o")))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in pool.map(lambda job: subprocess.run(
                [*CC, "-c", job[0], "-o", job[1]], cwd=ROOT, capture_output=True, text=True), jobs):
            if done.returncode != 0:
                sys.exit(done.stderr)
    return objects


def passes(work, objects, test, program):
    """Whether that test passes with these objects."""
    extra = [os.path.join(work, "world.o")] if test in USE_WORLD else []
    if test in WITH_HEAP:
        extra += [os.path.join(work, "memory.o"), WRAP]
    link = subprocess.run([CC[0], os.path.join(work, f"test_{test}.o"), *extra, *objects, *LIBS,
                           "-o", program], capture_output=True, text=True)
    if link.returncode != 0:
        sys.exit(link.stderr)
    try:
        done = subprocess.run([program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              stdin=subprocess.DEVNULL, timeout=TEST_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def judge(work, objects, skip, number, mutant):
    """None when it does not compile, else the test that killed it, or "" for a survivor."""
    folder = os.path.join(work, f"mutant-{number}")
    os.mkdir(folder)
    try:
        with open(os.path.join(ROOT, mutant.path)) as file:
            text = mutant.source(file.read())
        source = os.path.join(folder, "mutant.c")
        with open(source, "w") as file:
            file.write(text)
        compiled = os.path.join(folder, "mutant.o")
        done = subprocess.run([*CC, "-c", source, "-o", compiled], cwd=ROOT, capture_output=True)
        if done.returncode != 0:
            return None
        mine = [compiled if s == mutant.path else o for s, o in objects.items()]
        for test in FILES[mutant.path]:
            if test not in skip and not passes(work, mine, test, os.path.join(folder, "test")):
                return test
        return ""
    finally:
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("files", nargs="*", default=[], metavar="FILE")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--skip", action="append", default=[], metavar="TEST",
                        help="leave a slow test out: what survives may not survive that one")
    parser.add_argument("--only", default="", metavar="TEXT",
                        help="the mutants that --list shows with this in their lines")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    unknown = [f for f in options.files if f not in FILES]
    if unknown:
        parser.error(f"no tests are named for {', '.join(unknown)}")
    mutants = [m for path in options.files or FILES for m in mutants_of(path)
               if options.only in f"{m.path}:{m.line}: {m.name()}"]
    if options.list:
        for m in mutants:
            print(f"{m.path}:{m.line}: {m.name()}")
        return 0

    explained = ""
    if os.path.exists(EQUIVALENT):
        with open(EQUIVALENT) as file:
            explained = " ".join(file.read().split())
    counts = {"killed": 0, "equivalent": 0, "survived": 0, "not compiled": 0}
    with tempfile.TemporaryDirectory(prefix="hawser-mutate-") as work:
        objects = compile_all(work)
        for test in sorted({t for m in mutants for t in FILES[m.path]} - set(options.skip)):
            if not passes(work, list(objects.values()), test, os.path.join(work, "test")):
                sys.exit(f"test_{test} fails without any mutant")
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            results = pool.map(lambda item: judge(work, objects, options.skip, *item),
                               enumerate(mutants))
            for mutant, result in zip(mutants, results):
                if result is None:
                    counts["not compiled"] += 1
                elif result:
                    counts["killed"] += 1
                elif " ".join(mutant.name().split()) in explained:
                    counts["equivalent"] += 1
                else:
                    counts["survived"] += 1
                    print(f"survived {mutant.path}:{mutant.line}: {mutant.name()}", flush=True)
    print(", ".join(f"{number} {what}" for what, number in counts.items()))
    return 1 if counts["survived"] else 0


if __name__ == "__main__":
    sys.exit(main())
