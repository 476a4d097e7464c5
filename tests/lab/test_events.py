#!/usr/bin/env python3
"""What happens is one clear line in the log each, and what flaps does not flood it."""

import re
import time

from tap import case, expect, main

import lab as lab_module
from daemon import start_pair

FLAPS = 60


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.a, s.b = lab.host("a"), lab.host("b")
    s.links = [lab.link(f"wan{i}", s.a, s.b, "delay 5ms") for i in (1, 2)]
    s.on_a, s.on_b = start_pair(lab, s.a, s.b, s.links)
    return s


def lines(daemon, pattern):
    return [line for line in daemon.log(100000).splitlines() if re.search(pattern, line)]


def wait_line(daemon, pattern, timeout=15):
    lab_module.wait_until(lambda: lines(daemon, pattern), timeout,
                          f"{daemon.host.name} logs {pattern}\n{daemon.log()}")


@case
def each_event_is_one_line(s):
    for daemon in (s.on_a, s.on_b):
        wait_line(daemon, r"path wan1 to peer: up \[")
    s.links[0].down()
    for daemon in (s.on_a, s.on_b):
        wait_line(daemon, r"path wan1 to peer: down, it comes back by itself: no probe was answered "
                          r"\[10\.1\.1\.\d:\d+\]")
    before = len(lines(s.on_a, r"path wan1 to peer: up \["))
    s.links[0].up()
    lab_module.wait_until(lambda: len(lines(s.on_a, r"path wan1 to peer: up \[")) > before, 35,
                          f"up again\n{s.on_a.log()}")
    expect(len(lines(s.on_a, "path wan1 to peer: down")) == 1, s.on_a.log())
    expect(not lines(s.on_a, "path wan2 to peer: (down|suspect)"), s.on_a.log())


@case
def a_flapping_interface_does_not_flood_the_log(s):
    before = [len(daemon.log(100000).splitlines()) for daemon in (s.on_a, s.on_b)]
    for _ in range(FLAPS):
        s.a.ip("link set wan2 down")
        time.sleep(0.05)
        s.a.ip("link set wan2 up")
        time.sleep(0.05)
    time.sleep(1)
    after = [len(daemon.log(100000).splitlines()) for daemon in (s.on_a, s.on_b)]
    more = [b - a for a, b in zip(before, after)]
    print(f"# {FLAPS} times down and up: {more[0]} and {more[1]} lines")
    # Eight for the link, eight for each of its paths (which may get a new number, some times).
    for daemon, count in zip((s.on_a, s.on_b), more):
        expect(count <= 50, f"{count} lines on {daemon.host.name}:\n{daemon.log(count)}")
    expect(lines(s.on_a, "link wan2: changes often; from here on one line every 60 s"), s.on_a.log())
    lab_module.wait_until(lambda: lines(s.on_a, r"link wan2: changed \d+ times within 60 s; the last "
                                                r"change: ready on wan2"), 70,
                          f"the minute is summed up\n{s.on_a.log()}")
    changes = int(re.search(r"changed (\d+) times", lines(s.on_a, "link wan2: changed")[0]).group(1))
    expect(changes >= FLAPS, f"{changes} changes are told of {2 * FLAPS}")


main(setup)
