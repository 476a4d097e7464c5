#!/usr/bin/env python3
"""Links and daemons that fail under traffic, and come back by themselves.

Three links of 10 ms; pings every 10 ms run through the tunnel while things are broken.
"""

import time

from checks import conserves
from tap import case, expect, main

import lab as lab_module
from daemon import start_pair
from lab import Pinger

BACK = 15  # seconds for a path to be found again


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.a, s.b = lab.host("a"), lab.host("b")
    s.links = [lab.link(f"wan{i}", s.a, s.b, "rate 100M delay 10ms") for i in (1, 2, 3)]
    s.on_a, s.on_b = start_pair(lab, s.a, s.b, s.links)
    return s


def path_is(daemon, link, state):
    path = daemon.paths().get(link)
    return path is not None and path["state"] == state


def gone(daemon, link):
    """The link has no path that works: none at all, or one that is down."""
    return all(p["state"] == "down" for p in daemon.peer()["paths"] if p["link"] == link)


def survives(s, breakage, seconds=3.0):
    """Runs `breakage` one second into a run of pings, none of which may be lost."""
    pinger = Pinger(s.a, "10.88.0.2", count=int(seconds * 100))
    time.sleep(1)
    breakage()
    result = pinger.wait(seconds + 30)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost} of {result.sent} lost "
           f"({result.lost_numbers()[:20]}), {result.duplicates} twice")


def seconds_until_answer(s, timeout):
    """How long until a ping is answered again."""
    started = time.monotonic()
    lab_module.wait_until(lambda: s.a.run(["ping", "-n", "-c", 1, "-W", 0.2, "10.88.0.2"],
                                          check=False).returncode == 0, timeout,
                          "a ping through the tunnel is answered")
    return time.monotonic() - started


@case
def link_cut_in_silence_costs_nothing(s):
    survives(s, s.links[0].down)
    for daemon in (s.on_a, s.on_b):
        lab_module.wait_until(lambda d=daemon: gone(d, "wan1"), 10, "wan1 is seen to be down")


@case
def link_comes_back_by_itself(s):
    survives(s, s.links[0].up)
    for daemon in (s.on_a, s.on_b):
        lab_module.wait_until(lambda d=daemon: path_is(d, "wan1", "up"), BACK, "wan1 is up again")


@case
def link_cut_in_one_direction_costs_nothing(s):
    survives(s, lambda: s.links[1].set("down", "ab"))
    survives(s, lambda: s.links[1].set("up", "ab"), 2)
    lab_module.wait_until(lambda: path_is(s.on_a, "wan2", "up"), BACK, "wan2 is up again")


@case
def interface_down_and_up_costs_nothing(s):
    for host, daemon in ((s.a, s.on_a), (s.b, s.on_b)):
        survives(s, lambda h=host: h.ip("link set wan2 down"))
        lab_module.wait_until(lambda: gone(s.on_a, "wan2"), 10, "wan2 is seen to be down")
        survives(s, lambda h=host: h.ip("link set wan2 up"), 2)
        lab_module.wait_until(lambda: path_is(s.on_a, "wan2", "up") and path_is(s.on_b, "wan2", "up"),
                              BACK, f"wan2 is up again, after host {host.name} had it down")


@case
def interface_deleted_and_made_again_costs_nothing(s):
    survives(s, lambda: s.a.ip("link del wan3"))
    lab_module.wait_until(lambda: gone(s.on_a, "wan3"), 10, "wan3 is seen to be gone")
    survives(s, lambda: s.links[2].recreate("a"), 2)
    for daemon in (s.on_a, s.on_b):
        lab_module.wait_until(lambda d=daemon: path_is(d, "wan3", "up"), BACK, "wan3 is up again")


@case
def address_that_changes_costs_nothing(s):
    def roam():
        s.a.ip("addr add 10.1.1.77/24 dev wan1")
        s.a.ip("addr del 10.1.1.1/24 dev wan1")

    # The second address must outlive the first, or packets would leave by another link's for a while.
    s.a.sysctl("ipv4/conf/wan1/promote_secondaries", 1)
    survives(s, roam)
    lab_module.wait_until(lambda: any(p["remote"].startswith("10.1.1.77:") and p["state"] == "up"
                                      for p in s.on_b.peer()["paths"]), BACK,
                          "b sees the new address")
    # And alone it carries the tunnel, which proves that the path works and is used.
    for link in s.links[1:]:
        link.down()
    time.sleep(1)
    try:
        result = s.a.ping("10.88.0.2", count=50, interval=0.02)
        expect(result.lost == 0, f"{result.lost} of 50 lost over the moved path alone")
    finally:
        for link in s.links[1:]:
            link.up()
    lab_module.wait_until(lambda: path_is(s.on_a, "wan3", "up"), BACK, "wan3 is up again")


@case
def all_links_cut_for_a_while(s):
    for link in s.links:
        link.down()
    time.sleep(4)
    expect(s.a.ping("10.88.0.2", count=2, timeout=0.3).received == 0, "something still passes")
    for link in s.links:
        link.up()
    took = seconds_until_answer(s, 10)
    expect(took < 6, f"{took:.1f} s until the tunnel carries again")


@case
def hub_killed_and_started_again(s):
    s.on_b.kill()
    time.sleep(1)
    s.on_b.start()
    took = seconds_until_answer(s, 20)
    expect(took < 8, f"{took:.1f} s until the tunnel carries again")
    s.on_a.wait_up(paths=3, timeout=BACK)


@case
def client_killed_and_started_again(s):
    s.on_a.kill()
    time.sleep(1)
    s.on_a.start()
    took = seconds_until_answer(s, 20)
    expect(took < 5, f"{took:.1f} s until the tunnel carries again")
    s.on_a.wait_up(paths=3, timeout=BACK)


@case
def counters_conserve(s):
    for daemon in (s.on_a, s.on_b):
        conserves(daemon)
    expect([d.stop() for d in (s.on_a, s.on_b)] == [0, 0], "exit codes")


main(setup)
