"""What every lab test starts with: cases in order, TAP on standard output.

    @case
    def link_cut_in_silence_loses_nothing(lab): ...

    main(setup)

`setup(lab)` builds what all cases share and returns it; each case gets that. A case that raises has
failed; Skip says why one cannot be judged here. Cases run in the order in which they are written.
"""

import argparse
import os
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "lab"))

import lab as lab_module  # noqa: E402  (found only now)

_cases = []


class Skip(Exception):
    """This case cannot be judged here; the reason is its text."""


def case(function):
    _cases.append(function)
    return function


def expect(condition, text):
    """A failed expectation, with the figures in its text."""
    if not condition:
        raise AssertionError(text)


def diagnose(lab):
    for daemon in lab.daemons:
        print(f"# log of hawser on {daemon.host.name}:")
        for line in daemon.log().splitlines():
            print(f"#   {line}")


def run_case(number, function, lab, argument):
    name = function.__name__
    try:
        function(argument)
        complaints = [d.complaints() for d in lab.daemons if d.complaints()]
        expect(not complaints, "a sanitizer complains: " + "\n".join(complaints))
    except Skip as reason:
        print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        return
    except Exception as error:  # a test's failure, whatever it is, ends only that test
        print(f"not ok {number} - {name}")
        for line in f"{type(error).__name__}: {error}".splitlines():
            print(f"# {line}")
        for line in traceback.format_exc().splitlines()[-8:]:
            print(f"#   {line}")
        diagnose(lab)
        sys.stdout.flush()
        return
    print(f"ok {number} - {name}", flush=True)


def main(setup):
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default=os.environ.get("HW_BUILD", "build"))
    parser.add_argument("--only", help="run the cases whose names hold this")
    options = parser.parse_args()
    reason = lab_module.enter()
    cases = [c for c in _cases if not options.only or options.only in c.__name__]
    if reason:
        print(f"1..0 # SKIP {reason}")
        return
    print(f"1..{len(cases)}")
    with lab_module.Lab(options.build) as lab:
        print(f"# seed of the links: {lab.seed}")
        try:
            shared = setup(lab)
        except Exception as error:
            traceback.print_exc()
            diagnose(lab)
            print(f"Bail out! set-up: {str(error).splitlines()[0]}")
            sys.exit(1)
        for number, function in enumerate(cases, 1):
            run_case(number, function, lab, shared)
