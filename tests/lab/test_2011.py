#!/usr/bin/env python3
"""The experiment of 2011, and beside it a tunnel that nobody uses.

Three links of 100 Mbit/s and 10 ms lose 5 % on the way out of a host and 5 % on the way into one. The
losses of pings over one such link and through the tunnel must be what chance gives (99.9 %), while
keys are changed every ten seconds. A second pair of hosts is idle for as long, and says next to
nothing.
"""

import os
import time

from checks import conserves
from tap import case, expect, main

import lab as lab_module
from binomial import interval
from daemon import configs, secret_file, Daemon, start_pair
from lab import Pinger

LOSS = 1 - 0.95 ** 2
LINK = f"rate 100M delay 10ms queue 250k loss {LOSS:.4f}"
PINGS = 5000
SANITIZED_PINGS = 1500


class Shared:
    pass


def theory(copies):
    return 1 - (1 - LOSS ** copies) ** 2


def idle_pair(s, lab):
    """Two hosts with two links and a TUN tunnel; nothing but the daemons speaks there."""
    c, d = lab.host("c"), lab.host("d")
    for host in (c, d):
        host.sysctl("ipv6/conf/default/disable_ipv6", 1)
    s.idle_links = [lab.link(f"idle{i}", c, d, "delay 10ms", number=i) for i in (1, 2)]
    config_c, config_d = configs(lab, s.idle_links, secret_file(lab, "idle"),
                                 tunnel={"type": "tun", "address": ["10.89.0.1/24"]})
    config_d["tunnel"]["address"] = ["10.89.0.2/24"]
    on_d = Daemon(d, config_d).start()
    on_c = Daemon(c, config_c).start()
    on_c.wait_up(paths=2)
    on_d.wait_up(paths=2)
    s.idle_host = c
    return [on_c, on_d]


def packets(link):
    stats = link.stats()
    return [stats["ab"]["offered_packets"], stats["ba"]["offered_packets"]]


def setup(lab):
    s = Shared()
    s.lab = lab
    pings = SANITIZED_PINGS if lab_module.is_sanitized(lab.build) else PINGS
    # A soak takes longer; 60,000 is what ping's sequence numbers allow.
    pings = min(60000, int(os.environ.get("HW_SOAK_SECONDS", pings // 100)) * 100)
    s.idle = idle_pair(s, lab)
    s.a, s.b = lab.host("a"), lab.host("b")
    s.links = [lab.link(f"wan{i}", s.a, s.b, LINK, number=i) for i in (1, 2, 3)]
    bare = lab.link("bare", s.a, s.b, LINK, number=4)
    # On a link that loses one packet in ten and each way, a path takes its time to be found.
    s.daemons = start_pair(lab, s.a, s.b, s.links, options={"session": {"rekey-after": "10s"}})
    for address in ("10.1.4.2", "10.88.0.2"):
        s.a.ping(address, count=20, interval=0.05)
    time.sleep(2)
    before = [packets(link) for link in s.idle_links]
    started = time.monotonic()
    wired = [sum(link.bytes() for link in s.links), bare.bytes()]
    pingers = [Pinger(s.a, address, count=pings) for address in ("10.1.4.2", "10.88.0.2")]
    s.bare, s.tunnel = [pinger.wait(pings * 0.04 + 30) for pinger in pingers]
    s.idle_seconds = time.monotonic() - started
    after = [packets(link) for link in s.idle_links]
    s.idle_packets = [[y - x for x, y in zip(b, a)] for b, a in zip(before, after)]
    s.wired = [sum(link.bytes() for link in s.links) - wired[0], bare.bytes() - wired[1]]
    return s


def in_interval(result, probability):
    low, high = interval(result.sent, probability)
    print(f"# {result.lost} of {result.sent} lost, {100 * result.loss:.3f} %; theory "
          f"{100 * probability:.3f} %, chance gives {low} to {high}")
    expect(low <= result.lost <= high, f"{result.lost} of {result.sent} lost, expected {low} to {high}")


@case
def bare_link_loses_what_theory_says(s):
    in_interval(s.bare, theory(1))


@case
def three_copies_lose_what_theory_says(s):
    in_interval(s.tunnel, theory(3))


@case
def nothing_arrives_twice(s):
    expect(s.tunnel.duplicates == 0, f"{s.tunnel.duplicates} answers came twice")


@case
def three_copies_cost_what_they_must(s):
    # 84 bytes of ping, 14 of Ethernet, at most 32 of header and tag and 4 of framing, 28 of UDP and
    # IPv4, three times. For two pings, 10 ms apart, a report and its copy, at most 160 bytes each. All
    # other control traffic may add a twentieth.
    limit = 1.05 * 3 * (84 + 14 + 32 + 4 + 28) / 84 + 2 * 160 / (2 * 84)
    ratio = s.wired[0] / s.wired[1]
    print(f"# {ratio:.2f} times the bytes of the bare link")
    expect(3 < ratio <= limit, f"{ratio:.2f} times the bytes, at most {limit:.2f} were expected")


@case
def keys_were_changed(s):
    for daemon in s.daemons:
        age = daemon.peer()["handshake_age_s"]
        expect(age < 15, f"the keys are {age:.0f} s old on {daemon.host.name}")


@case
def idle_tunnel_is_all_but_silent(s):
    limit = s.idle_seconds / 10 + 1
    print(f"# {s.idle_packets} packets in {s.idle_seconds:.0f} s, each way on each path")
    for link in s.idle_packets:
        expect(max(link) <= limit, f"{s.idle_packets} packets in {s.idle_seconds:.0f} s, at most "
               f"{limit:.1f} each way on a path were expected")


@case
def idle_tunnel_is_there_when_needed(s):
    for daemon in s.idle:
        expect(all(p["state"] == "up" for p in daemon.peer()["paths"]), f"{daemon.peer()['paths']}")
    result = s.idle_host.ping("10.89.0.2", count=10, interval=0.02)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost} of 10 lost")


@case
def counters_conserve(s):
    for daemon in (*s.daemons, *s.idle):
        conserves(daemon)
    expect([d.stop() for d in (*s.daemons, *s.idle)] == [0, 0, 0, 0], "exit codes")


main(setup)
