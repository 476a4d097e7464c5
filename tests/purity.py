#!/usr/bin/env python3
"""Checks the shape of the source: who includes whom, what the pure core may call, how long things are.

    purity.py --source DIR --archive libhawser-core.a [--nm NM]

Speaks TAP. The rules are the tables below and purity-symbols.txt; CONTRIBUTING.md gives the reasons.
Each rule is also tried on input that breaks it, so a check that can no longer fail is a failure.
"""

import argparse
import fnmatch
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent

# The pure core, layer by layer. A module may include itself and what its line names.
PURE = {
    "base": [],
    "wire": ["base"],
    "crypto": ["base", "wire"],
    "sched": ["base", "wire"],
    "session": ["base", "wire", "crypto", "sched"],
    "path": ["base", "wire", "crypto", "sched"],
    "frame": ["base", "wire", "crypto", "sched"],
    "core": ["base", "wire", "crypto", "sched", "session", "path", "frame"],
    "survey": ["base", "sched", "core"],
}
CORE = list(PURE)
# The shell, and the programs.
MAY_INCLUDE = {
    **PURE,
    "io": CORE,
    "config": CORE,
    "control": CORE + ["io"],
    "daemon": CORE + ["io", "config", "control"],
    "cli": ["base", "config", "control"],
    "sim": CORE + ["config"],
    "lab": ["base", "sim"],
}
# Single headers beyond the table: the entry points behind subcommands, and what genkey needs.
MAY_ALSO_INCLUDE = {
    "cli": ["crypto/identity.h", "daemon/advice.h", "daemon/daemon.h", "daemon/probe.h", "sim/sim.h"],
}
# System headers that pure code may see.
PURE_SYSTEM_HEADERS = {
    "assert.h", "inttypes.h", "limits.h", "lz4.h", "stdarg.h", "stdbool.h", "stddef.h", "stdint.h",
    "stdio.h", "stdlib.h", "string.h",
}
PURE_SYSTEM_PREFIXES = ("openssl/",)

MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 100

INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.MULTILINE)


# --- The rules, each a function from text to a list of complaints ---------------------------------


def check_includes(module, name, text):
    """Complaints about the quoted includes of one file of `module`."""
    allowed = [module] + MAY_INCLUDE[module]
    complaints = []
    for quote, header in INCLUDE.findall(text):
        if quote != '"' or header in MAY_ALSO_INCLUDE.get(module, []):
            continue
        if header.split("/")[0] not in allowed or "/" not in header:
            complaints.append(f'{name}: includes "{header}", which is not for {module}')
    return complaints


def check_system_headers(name, text):
    """Complaints about the system headers of one file of the pure core."""
    return [
        f"{name}: includes <{header}>, which is not for the pure core"
        for quote, header in INCLUDE.findall(text)
        if quote == "<"
        and header not in PURE_SYSTEM_HEADERS
        and not header.startswith(PURE_SYSTEM_PREFIXES)
    ]


def parse_allowed_symbols(text):
    """The lines of purity-symbols.txt: (allowed, forbidden) patterns; forbidden ones begin with '!'."""
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    allowed = [line for line in lines if line and not line.startswith("!")]
    forbidden = [line[1:] for line in lines if line.startswith("!")]
    return allowed, forbidden


def undefined_symbols(nm_text):
    """{symbol: object that wants it} of `nm --format=posix` output, without what the archive defines."""
    wanted, defined, member = {}, set(), "?"
    for line in nm_text.splitlines():
        if line.endswith("]:"):
            member = re.split(r"[/\[]", line[:-2])[-1]
            continue
        fields = line.split()
        if len(fields) < 2:
            continue
        if fields[1] in "UwV" and len(fields) == 2:
            wanted.setdefault(fields[0], member)
        else:
            defined.add(fields[0])
    return {symbol: who for symbol, who in wanted.items() if symbol not in defined}


def check_symbols(nm_text, rules):
    """Complaints about what an archive wants from outside itself."""
    allowed, forbidden = rules
    complaints = []
    for symbol, member in sorted(undefined_symbols(nm_text).items()):
        fits = any(fnmatch.fnmatchcase(symbol, pattern) for pattern in allowed)
        refused = any(fnmatch.fnmatchcase(symbol, pattern) for pattern in forbidden)
        if not fits or refused:
            complaints.append(f"{member}: calls {symbol}, which is not for the pure core")
    return complaints


def instrumented(nm_text):
    """The name of what the compiler added to this build, or None."""
    for prefix, what in (("__asan_", "address sanitizer"), ("__ubsan_", "undefined behaviour sanitizer"),
                         ("__tsan_", "thread sanitizer"), ("__msan_", "memory sanitizer"),
                         ("__sanitizer_cov", "fuzzer"), ("__gcov_", "coverage"),
                         ("__llvm_profile", "coverage")):
        if any(symbol.startswith(prefix) for symbol in undefined_symbols(nm_text)):
            return what
    return None


def check_lengths(name, text):
    """Complaints about a long file or a long function. A function is from '{' to '}' in column 0."""
    lines = text.splitlines()
    complaints = []
    start = None
    if len(lines) > MAX_FILE_LINES:
        complaints.append(f"{name}: {len(lines)} lines, more than {MAX_FILE_LINES}")
    for number, line in enumerate(lines, 1):
        if line.rstrip() == "{":
            start = number
        elif line.rstrip() == "}" and start is not None:
            length = number - start + 1
            if length > MAX_FUNCTION_LINES:
                complaints.append(f"{name}:{start}: a function of {length} lines, "
                                  f"more than {MAX_FUNCTION_LINES}")
            start = None
    return complaints


# --- The files ------------------------------------------------------------------------------------


def module_folder(source, module):
    return source / module if module in ("sim", "lab") else source / "src" / module


def read(path):
    return path.read_text(encoding="utf-8")


def c_files(folder):
    return sorted(p for p in folder.rglob("*.[ch]"))


def included_by_module(source, module):
    complaints = []
    for path in c_files(module_folder(source, module)):
        complaints += check_includes(module, str(path.relative_to(source)), read(path))
    return complaints


def unknown_modules(source):
    """Folders of src/ that the table does not know would go unchecked."""
    return [
        f"src/{folder.name}: not in the table of purity.py"
        for folder in sorted((source / "src").iterdir())
        if folder.is_dir() and folder.name not in MAY_INCLUDE and c_files(folder)
    ]


def system_headers(source):
    complaints = []
    for module in PURE:
        for path in c_files(module_folder(source, module)):
            complaints += check_system_headers(str(path.relative_to(source)), read(path))
    return complaints


def lengths(source):
    complaints = []
    for top in ("src", "sim", "lab", "tests"):
        for path in c_files(source / top):
            complaints += check_lengths(str(path.relative_to(source)), read(path))
    return complaints


# --- What must be reported ------------------------------------------------------------------------

NM_SAMPLE = """libx.a[libx.a.p/session_a.c.o]:
hw_a T 0 10
hw_b U
memcpy U
{extra}libx.a[libx.a.p/wire_b.c.o]:
hw_b T 0 10
"""


def includes_can_fail():
    good = '#include "session/a.h"\n#include "wire/b.h"\n#include <time.h>\n'
    missed = check_includes("session", "x", good)
    for module, header in (("session", "core/core.h"), ("base", "wire/wire.h"), ("wire", "crypto/suite.h"),
                           ("core", "io/udp.h"), ("io", "daemon/daemon.h"), ("session", "path/table.h"),
                           ("session", "local.h"), ("cli", "core/core.h"), ("sim", "io/loop.h"),
                           ("daemon", "cli/cli.h"), ("core", "../io/udp.h")):
        if len(check_includes(module, "x", f'  #  include "{header}"\n')) != 1:
            missed.append(f"{module} including {header} was not reported")
    return missed + check_includes("cli", "x", '#include "daemon/daemon.h"\n')


def system_headers_can_fail():
    missed = check_system_headers("x", "#include <string.h>\n#include <openssl/evp.h>\n")
    for header in ("time.h", "sys/socket.h", "unistd.h", "stdlib.h/../time.h"):
        if len(check_system_headers("x", f"#include <{header}>\n")) != 1:
            missed.append(f"<{header}> was not reported")
    return missed


def symbols_can_fail(rules):
    missed = check_symbols(NM_SAMPLE.format(extra=""), rules)
    for symbol in ("time", "clock_gettime", "getrandom", "rand", "RAND_bytes", "EVP_PKEY_keygen",
                   "EVP_RAND_generate", "open", "socket", "sendto", "printf", "fopen", "getenv", "exit",
                   "pthread_create", "hw_udp_send", "malloc_usable_size"):
        if len(check_symbols(NM_SAMPLE.format(extra=f"{symbol} U\n"), rules)) != 1:
            missed.append(f"{symbol} was not reported")
    if instrumented(NM_SAMPLE.format(extra="__asan_init U\n")) is None:
        missed.append("a sanitized build was not recognised")
    if instrumented(NM_SAMPLE.format(extra="")) is not None:
        missed.append("a plain build was taken for an instrumented one")
    return missed


def lengths_can_fail():
    def function(lines):
        return "int f(void)\n{\n" + "\tg();\n" * (lines - 2) + "}\n"

    missed = check_lengths("x", function(MAX_FUNCTION_LINES)) + check_lengths("x", "\n" * MAX_FILE_LINES)
    if len(check_lengths("x", function(MAX_FUNCTION_LINES + 1))) != 1:
        missed.append("a function one line too long was not reported")
    if len(check_lengths("x", "\n" * (MAX_FILE_LINES + 1))) != 1:
        missed.append("a file one line too long was not reported")
    return missed


# --- Report ---------------------------------------------------------------------------------------


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", type=pathlib.Path, required=True)
    parser.add_argument("--archive", type=pathlib.Path, required=True)
    parser.add_argument("--nm", default="nm")
    args = parser.parse_args()
    source = args.source.resolve()
    rules = parse_allowed_symbols(read(HERE / "purity-symbols.txt"))
    nm_text = subprocess.run([args.nm, "--format=posix", str(args.archive)], check=True,
                             stdout=subprocess.PIPE, text=True).stdout

    cases = [
        ("an upward include is reported", includes_can_fail()),
        ("a forbidden system header is reported", system_headers_can_fail()),
        ("a forbidden symbol is reported", symbols_can_fail(rules)),
        ("a long file and a long function are reported", lengths_can_fail()),
        ("every module of src is in the table", unknown_modules(source)),
    ]
    for module in MAY_INCLUDE:
        cases.append((f"{module} includes only what lies below it", included_by_module(source, module)))
    cases.append(("the pure core sees no system header beyond its list", system_headers(source)))
    cases.append(("files and functions are short", lengths(source)))
    added = instrumented(nm_text)
    core = "the core's archive calls nothing beyond purity-symbols.txt"
    if added is None:
        empty = [] if "hw_" in nm_text else [f"{args.archive}: defines nothing of ours"]
        cases.append((core, check_symbols(nm_text, rules) + empty))
    else:
        cases.append((f"{core} # SKIP built with {added}", []))

    print(f"1..{len(cases)}")
    for number, (title, complaints) in enumerate(cases, 1):
        print(f"{'not ok' if complaints else 'ok'} {number} - {title}")
        for complaint in complaints:
            print(f"# {complaint}")
    return 1 if any(complaints for _, complaints in cases) else 0


if __name__ == "__main__":
    sys.exit(main())
