#!/usr/bin/env python3
"""What links carry and what that costs: counted as a carrier counts it, over restarts and crashes;
quotas warned of and obeyed.

On host a wan1 has a quota of 300 kB a day, wan2 none. What is on the wire is the shaper's count of
IP packets, which is what a carrier bills.
"""

import re
import time

from tap import case, expect, main

import lab as lab_module
from daemon import Daemon, configs, secret_file

QUOTA = 300_000


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.lab = lab
    s.a, s.b = lab.host("a"), lab.host("b")
    s.links = [lab.link(f"wan{i}", s.a, s.b, "delay 5ms") for i in (1, 2)]
    config_a, config_b = configs(lab, s.links, secret_file(lab))
    config_a["links"][0]["quota"] = "300kB/day"
    # Noon, wherever that is, of today's date in Greenwich: a day that cannot end while the test runs.
    started = time.time()
    zone = {"TZ": f"LAB{time.gmtime(started).tm_hour - 12:+d}"}
    s.day_end = (started // 86400 + 1) * 86400
    s.on_b = Daemon(s.b, config_b).start()
    s.on_a = Daemon(s.a, config_a, env=zone).start()
    for daemon in (s.on_a, s.on_b):
        daemon.wait_up(paths=2)
    return s


def link_status(daemon, name):
    return next(link for link in daemon.status()["links"] if link["name"] == name)


def used(s):
    return link_status(s.on_a, "wan1")["quota"]["used_bytes"]


def carried(link):
    return link["tx_bytes"] + link["rx_bytes"]


def spend(s, until):
    """Pings through the tunnel until so much of the quota is used."""
    deadline = time.monotonic() + 60
    while used(s) < until:
        expect(time.monotonic() < deadline, f"{used(s)} bytes after a minute of pings")
        s.a.run(["ping", "-n", "-q", "-c", 5, "-i", 0.02, "-s", 1000, "10.88.0.2"], check=False)


@case
def every_byte_on_the_wire_is_counted(s):
    s.a.ping("10.88.0.2", count=20, interval=0.02)
    for daemon in (s.on_a, s.on_b):
        for link in s.links:
            # ARP and neighbour discovery are not ours: a handful of small frames.
            counted = carried(link_status(daemon, link.name))
            wire = link.bytes()
            expect(0 <= wire - counted < 1500, f"{link.name} on {daemon.host.name}: {counted} "
                   f"counted, {wire} on the wire")


@case
def counters_survive_a_restart(s):
    before = {name: link_status(s.on_a, name) for name in ("wan1", "wan2")}
    expect(s.on_a.stop() == 0, "exit code")
    s.on_a.start().wait_up(paths=2)
    for name, old in before.items():
        new = link_status(s.on_a, name)
        expect(carried(new) >= carried(old), f"{name}: {old} became {new}")
        expect(new["counted_since_s"] == old["counted_since_s"], f"{name}: {old} became {new}")


@case
def a_crash_loses_no_more_than_is_said(s):
    """At most what 60 s bring, a hundredth of the quota, or what a second brings."""
    for _ in range(3):
        spend(s, used(s) + 10_000)
        time.sleep(1.2)
        before = link_status(s.on_a, "wan1")
        time.sleep(0.3)  # the disk's thread
        s.on_a.kill()
        s.on_a.start()
        s.on_a.wait_up(paths=2, timeout=20)
        after = link_status(s.on_a, "wan1")
        lost = carried(before) - carried(after)
        expect(lost <= QUOTA / 100, f"{lost} bytes forgotten: {before} became {after}")


@case
def warned_at_four_fifths(s):
    expect("wan1: quota" not in s.on_a.log(10000), s.on_a.log())
    spend(s, QUOTA * 0.8)
    lab_module.wait_until(lambda: re.search(r"link wan1: quota: 24\d kB of 300 kB of this day are used "
                                            r"\(8\d %\); when all are, it is not used until \d{4}-",
                                            s.on_a.log()), 3, f"a warning is logged\n{s.on_a.log()}")
    expect(link_status(s.on_a, "wan1")["quota"]["warned"], "the status does not warn")
    expect(len(re.findall("wan1: quota", s.on_a.log(10000))) == 1, s.on_a.log())


@case
def obeyed_when_spent(s):
    spend(s, QUOTA)
    lab_module.wait_until(lambda: "wan1: quota: all 300 kB of this day are used up: not used until"
                          in s.on_a.log(), 3, f"it is logged\n{s.on_a.log()}")
    expect("no other link is left" not in s.on_a.log(), "wan2 is left")
    link = link_status(s.on_a, "wan1")
    expect((link["state"], link["reason"]) == ("unused", "its quota is used up"), f"{link}")
    expect((link["use"], link["use_by"], link["quota"]["left_bytes"], link["quota"]["spent"])
           == ("never", "quota", 0, True), f"{link}")
    time.sleep(1)
    at_rest = s.links[0].bytes()
    result = s.a.ping("10.88.0.2", count=200, interval=0.02)
    expect(result.lost == 0, f"{result.lost} of 200 lost with wan2 alone")
    time.sleep(15)
    after = s.links[0].bytes() - at_rest
    over = used(s) - QUOTA
    print(f"# {over} bytes beyond the quota; {after} bytes on the wire in the 19 s that followed")
    expect(over < 10_000, f"{over} bytes beyond the quota")
    expect(after < 1_000, f"{after} bytes on the wire of a link whose quota is spent")


@case
def a_restart_keeps_it(s):
    for crash in (False, True):
        before = used(s)
        wire = s.links[0].bytes()
        if crash:
            s.on_a.kill()
        else:
            expect(s.on_a.stop() == 0, "exit code")
        s.on_a.start().wait_up(paths=1, timeout=20)
        s.a.ping("10.88.0.2", count=20, interval=0.02)
        link = link_status(s.on_a, "wan1")
        expect(link["use_by"] == "quota" and link["quota"]["used_bytes"] >= before, f"{link}")
        expect(s.links[0].bytes() - wire < 2_000, "it was used after a restart")
        expect(s.on_a.log(30).count("all 300 kB of this day are used up") >= 1, s.on_a.log())


@case
def the_next_day_begins_by_itself(s):
    expect(s.on_a.stop() == 0, "exit code")
    # The same day of the calendar, half a minute before it ends.
    ahead = int(s.day_end - 30 - time.time())
    sign, ahead = ("-", ahead) if ahead >= 0 else ("+", -ahead)  # POSIX has east of Greenwich negative
    s.on_a.env = {"TZ": f"LAB{sign}{ahead // 3600}:{ahead // 60 % 60:02}:{ahead % 60:02}"}
    s.on_a.start().wait_up(paths=1, timeout=20)
    expect(link_status(s.on_a, "wan1")["use_by"] == "quota", f"{s.on_a.env} {s.on_a.log(10)}")
    lab_module.wait_until(lambda: "not used up any more: the link is used again" in s.on_a.log(10), 40,
                          "the next day is noticed")
    s.on_a.wait_up(paths=2)
    link = link_status(s.on_a, "wan1")
    expect(link["use"] == "always" and link["quota"]["used_bytes"] < 20_000, f"{link}")


@case
def a_last_link_is_no_exception(s):
    s.on_a.ask("link", "down", "wan2")
    deadline = time.monotonic() + 60
    while "no other link is left: the tunnel is cut off" not in s.on_a.log(20):
        expect(time.monotonic() < deadline, f"not said after a minute\n{s.on_a.log()}")
        s.a.run(["ping", "-n", "-q", "-c", 20, "-i", 0.02, "-s", 1000, "-W", 0.2, "10.88.0.2"],
                check=False)
    time.sleep(1)
    wire = s.links[0].bytes()
    expect(s.a.ping("10.88.0.2", count=5, interval=0.1, timeout=0.5).received == 0,
           "something still passes")
    expect(s.links[0].bytes() - wire < 1_000, f"{s.links[0].bytes() - wire} bytes on the wire")
    s.on_a.ask("link", "up", "wan2")
    s.on_a.wait_up(paths=1, timeout=20)
    result = s.a.ping("10.88.0.2", count=20, interval=0.02)
    expect(result.lost == 0, f"{result.lost} of 20 lost with wan2 up again")


@case
def a_larger_quota_counts_at_once(s):
    expect(link_status(s.on_a, "wan1")["quota"]["spent"], "the quota is not spent")
    before = used(s)
    s.on_a.config["links"][0]["quota"] = "2MB/day"
    s.on_a.write()
    s.on_a.ask("reload")
    s.on_a.wait_up(paths=2)
    link = link_status(s.on_a, "wan1")
    expect((link["use"], link["quota"]["bytes"], link["quota"]["spent"]) == ("always", 2_000_000, False),
           f"{link}")
    expect(link["quota"]["used_bytes"] >= before, f"{before} bytes became {link}")
    expect("the link is used again" in s.on_a.log(10), s.on_a.log(10))


main(setup)
