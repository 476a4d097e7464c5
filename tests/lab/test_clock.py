#!/usr/bin/env python3
"""A wall clock that is wrong: by ten years, either way, changing between runs.

Only the wall clock of one daemon is wrong, by lab/wrongclock.c; the monotonic clock goes on. Each
restart must carry traffic again within five seconds.
"""

import os
import time

from tap import case, expect, main

import lab as lab_module
from daemon import start_pair

WITHIN = 5
TEN_YEARS = 315576000


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.lab = lab
    s.a, s.b = lab.host("a"), lab.host("b")
    s.links = [lab.link(f"wan{i}", s.a, s.b, "delay 5ms") for i in (1, 2)]
    s.on_a, s.on_b = start_pair(lab, s.a, s.b, s.links)
    return s


def clock(s, offset):
    """What to put before a command so that its wall clock is off by so many seconds."""
    # Where ASan is, its library would have to come before ours; here it need not.
    asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    library = os.path.join(s.lab.build, "lab", "libhw-wrongclock.so")
    return ["env", f"LD_PRELOAD={library}", f"HW_WALL_OFFSET_S={offset}",
            f"ASAN_OPTIONS={asan.lstrip(':')}"]


def restart(s, daemon, offset, crash=False):
    """Restarts with another clock; the state that is kept on disk stays."""
    if crash:
        daemon.kill()
    else:
        code = daemon.stop()
        expect(code == 0, f"exit code {code}\n{daemon.log()}")
    daemon.start(wrapper=clock(s, offset) if offset else ())
    started = time.monotonic()
    year = time.strftime("%Y-", time.localtime(time.time() + offset))
    expect(daemon.log(1).startswith(year), f"the daemon's clock does not say {year}")
    lab_module.wait_until(lambda: s.a.run(["ping", "-n", "-c", 1, "-W", 0.2, "10.88.0.2"],
                                          check=False).returncode == 0, WITHIN,
                          f"traffic with the clock of {daemon.host.name} off by {offset} s")
    took = time.monotonic() - started
    expect(took <= WITHIN, f"{took:.1f} s")


@case
def the_clock_is_really_wrong(s):
    for offset in (-TEN_YEARS, TEN_YEARS):
        shown = int(s.a.run([*clock(s, offset), "date", "+%s"]).stdout)
        expect(abs(shown - time.time() - offset) < 5, f"{offset} s asked, the clock says {shown}")


@case
def client_works_whatever_its_clock(s):
    for offset in (-TEN_YEARS, 0, TEN_YEARS, -TEN_YEARS, 0):
        restart(s, s.on_a, offset)


@case
def hub_works_whatever_its_clock(s):
    for offset in (TEN_YEARS, -TEN_YEARS, 0):
        restart(s, s.on_b, offset)


@case
def both_work_with_opposite_clocks(s):
    restart(s, s.on_a, TEN_YEARS)
    restart(s, s.on_b, -TEN_YEARS)
    restart(s, s.on_a, -TEN_YEARS)


@case
def client_that_crashed_and_lost_ten_years_works(s):
    restart(s, s.on_a, TEN_YEARS)
    restart(s, s.on_a, 0, crash=True)
    restart(s, s.on_a, -TEN_YEARS, crash=True)
    expect([d.stop() for d in (s.on_a, s.on_b)] == [0, 0], "exit codes")


main(setup)
