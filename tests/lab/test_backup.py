#!/usr/bin/env python3
"""Mode backup: one link at a time, the best; another when that fails."""

import time

from checks import conserves
from tap import case, expect, main

import lab as lab_module
from daemon import start_pair
from lab import Pinger

CONTROL = 0.6   # packets for each ping that a path without traffic may see: probes and reports
GAP_PINGS = 60  # of 10 ms: what may be lost while a dead link is found out


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.lab = lab
    s.a, s.b = lab.host("a"), lab.host("b")
    s.near = lab.link("near", s.a, s.b, "rate 100M delay 5ms")
    s.far = lab.link("far", s.a, s.b, "rate 100M delay 30ms")
    s.spare = lab.link("spare", s.a, s.b, "rate 100M delay 5ms")
    s.on_a, s.on_b = start_pair(lab, s.a, s.b, [s.near, s.far, s.spare], mode="backup",
                                link_options={"spare": {"use": "backup"}})
    time.sleep(1)  # each path's delay is known by now
    return s


def carried(link):
    stats = link.stats()
    return stats["ab"]["offered_packets"], stats["ba"]["offered_packets"]


def spread(s, pings):
    """Packets per ping that each link carried, both ways added, for so many pings."""
    before = {link.name: sum(carried(link)) for link in (s.near, s.far, s.spare)}
    result = s.a.ping("10.88.0.2", count=pings, interval=0.01)
    after = {link.name: sum(carried(link)) for link in (s.near, s.far, s.spare)}
    return result, {name: (after[name] - before[name]) / pings for name in after}


@case
def only_the_best_link_carries(s):
    result, share = spread(s, 200)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost} lost")
    expect(share["near"] >= 2, f"the near link carries {share}")
    expect(share["far"] < CONTROL and share["spare"] < CONTROL, f"packets for each ping: {share}")
    expect(result.quantile(0.5) < 25, f"median {result.quantile(0.5)} ms")


@case
def dead_link_is_replaced(s):
    pinger = Pinger(s.a, "10.88.0.2", count=400)
    time.sleep(1)
    s.near.down()
    result = pinger.wait(30)
    expect(result.lost <= GAP_PINGS, f"{result.lost} pings of 10 ms lost: {result.lost_numbers()}")
    expect(result.duplicates <= GAP_PINGS, f"{result.duplicates} twice")
    numbers = result.lost_numbers()
    print(f"# {len(numbers)} pings of 10 ms lost when the link died: {numbers[:1]} to {numbers[-1:]}")


@case
def spare_link_serves_only_when_no_other_does(s):
    _, share = spread(s, 100)
    expect(share["far"] >= 2 and share["spare"] < CONTROL, f"packets for each ping: {share}")
    s.far.down()
    # While it is in doubt the far link keeps its copies: half a second, and then it serves alone.
    def alone():
        share = spread(s, 30)[1]
        return share["spare"] >= 1.9 and share["far"] < CONTROL

    lab_module.wait_until(alone, 10, "the spare link serves alone")
    result, share = spread(s, 100)
    expect(result.lost == 0, f"{result.lost} lost")
    expect(share["spare"] >= 1.9 and share["far"] < CONTROL, f"packets for each ping: {share}")


@case
def best_link_takes_over_again(s):
    s.near.up()
    s.far.up()
    # The first round trip after a break may be that of finding the neighbour: it wears off at once, and
    # a better path takes over when it has been so for five seconds.
    lab_module.wait_until(lambda: spread(s, 30)[1]["near"] >= 1.9, 45, "the near link serves again")
    result, share = spread(s, 200)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost} lost")
    expect(share["near"] >= 1.9 and share["spare"] < CONTROL, f"packets for each ping: {share}")


@case
def counters_conserve(s):
    for daemon in (s.on_a, s.on_b):
        conserves(daemon)
    expect([d.stop() for d in (s.on_a, s.on_b)] == [0, 0], "exit codes")


main(setup)
