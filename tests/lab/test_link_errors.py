#!/usr/bin/env python3
"""What the system refuses: no error of a socket ends the daemon, costs a packet that another link could
carry, or needs a hand to be over. And names, asked again when nobody answers where they led.

Two links, wan1 over IPv4 and wan2 over IPv6; the hub's own addresses are behind both."""

import os
import time

from checks import conserves
from tap import Skip, case, expect, main

import lab as lab_module
from daemon import Daemon, secret_file
from lab import Pinger
from net import nft, plug, unplug

HUB4, HUB6 = "192.0.2.9", "2001:db8::9"
BACK_WITHIN = 45  # s: a path that is down is asked every 30 s at the least


class Shared:
    pass


def plug_in(s, number):
    plug(s.a, s.b, f"wan{number}", number, name_b=f"hub{number}", ipv6=True)
    s.a.ip(f"route add default via 10.1.{number}.2 dev wan{number} metric {number}")
    s.a.ip(f"-6 route add default via fd01:{number}::2 dev wan{number} metric {number}")


def config(s, **options):
    secret = secret_file(s.lab, "errors")
    s.hub = Daemon(s.b, {"tunnel": {"device": "hw0", "type": "tap", "address": ["10.88.0.2/24"]},
                         "identity": {"secret-file": secret}, "listen": 8420}).start()
    s.van = Daemon(s.a, {"tunnel": {"device": "hw0", "type": "tap", "address": ["10.88.0.1/24"]},
                         "identity": {"secret-file": secret}, **options})


def setup(lab):
    s = Shared()
    s.lab = lab
    s.a, s.b = lab.host("a"), lab.host("b")
    for address in (f"{HUB4}/32", f"{HUB6}/128", "192.0.2.10/32", "192.0.2.77/32"):
        s.b.ip(f"addr add {address} dev lo")
    for number in (1, 2):
        plug_in(s, number)
    config(s, links=[{"name": "wan1", "interface": "wan1", "endpoint": [f"{HUB4}:8420"]},
                     {"name": "wan2", "interface": "wan2", "endpoint": [f"[{HUB6}]:8420"]}])
    s.van.start().wait_up(paths=2)
    s.pid = s.van.process.pid
    return s


def refused(daemon):
    return daemon.status()["drops"]["io_tx_refused"]


def up(daemon):
    return sorted({p["link"] for p in daemon.peer()["paths"] if p["state"] == "up"})


def until_up(s, names, timeout=BACK_WITHIN):
    begun = time.monotonic()
    lab_module.wait_until(lambda: up(s.van) == names, timeout,
                          lambda: f"up are {names}: {s.van.peer()['paths']}\n{s.van.log()}")
    return time.monotonic() - begun


def trouble(s, begin, end, provokes=True, others=("wan1",)):
    """While pings run, something goes wrong and is mended; no ping is lost."""
    before = refused(s.van)
    pinger = Pinger(s.a, "10.88.0.2", count=300)
    time.sleep(0.3)
    begin()
    gone = until_up(s, list(others), 10)
    time.sleep(0.5)
    errors = refused(s.van) - before
    expect(errors > 0 or not provokes, "the system refused nothing")
    end()
    back = until_up(s, ["wan1", "wan2"])
    result = pinger.wait(60)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost_numbers()} lost")
    expect(s.van.process.poll() is None and s.van.process.pid == s.pid, "the daemon has ended")
    expect(s.van.peer()["state"] == "up", "the session is gone")
    print(f"# {errors} sends refused; out of use after {1000 * gone:.0f} ms, back {1000 * back:.0f} ms "
          "after it was mended")


def filtered(verdict):
    def function(s):
        trouble(s, lambda: nft(s.a, "block", "inet", f"""chain out {{
                    type filter hook output priority 0;
                    oifname "wan2" udp dport 8420 {verdict}
                }}"""), lambda: s.a.run(["nft", "delete", "table", "inet", "block"]))
    return function


@case
def eperm_of_a_filter_that_drops(s):
    filtered("drop")(s)


@case
def eperm_of_a_filter_that_rejects(s):
    filtered("reject")(s)


@case
def enetunreach_of_a_route_that_is_gone(s):
    trouble(s, lambda: s.a.ip("-6 route del default dev wan2"),
            lambda: s.a.ip("-6 route add default via fd01:2::2 dev wan2 metric 2"))


@case
def a_rule_that_prohibits(s):
    trouble(s, lambda: s.a.ip(f"-6 rule add to {HUB6} pref 10 prohibit"),
            lambda: s.a.ip(f"-6 rule del to {HUB6} pref 10 prohibit"))


@case
def interface_that_is_taken_down(s):
    def mend():
        s.a.ip("link set wan2 up")
        # The kernel throws IPv6 addresses away with the carrier.
        s.a.ip("addr replace fd01:2::1/64 dev wan2 nodad")
        s.a.ip("-6 route replace default via fd01:2::2 dev wan2 metric 2")
    trouble(s, lambda: s.a.ip("link set wan2 down"), mend, provokes=False)


@case
def interface_that_is_deleted(s):
    trouble(s, lambda: unplug(s.a, "wan2"), lambda: plug_in(s, 2), provokes=False)


@case
def emsgsize_of_an_interface_that_takes_less(s):
    """Larger than what was agreed on a moment ago: refused, and then cut smaller."""
    s.a.ip("link set wan2 mtu 1280")
    result = s.a.ping("10.88.0.2", count=50, interval=0.01, size=1400)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost} lost")
    s.a.ip("link set wan2 mtu 1500")
    until_up(s, ["wan1", "wan2"])


@case
def hub_address_that_is_taken_away(s):
    """The hub sends from an address that it has no more, until it has it again."""
    before = refused(s.hub)
    pinger = Pinger(s.a, "10.88.0.2", count=200)
    time.sleep(0.3)
    s.b.ip(f"addr del {HUB6}/128 dev lo")
    time.sleep(1.2)
    s.b.ip(f"addr add {HUB6}/128 dev lo")
    back = until_up(s, ["wan1", "wan2"])
    result = pinger.wait(60)
    print(f"# {refused(s.hub) - before} sends refused at the hub; back after {1000 * back:.0f} ms")
    expect(s.hub.process.poll() is None, "the hub has ended")
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost_numbers()} lost")


@case
def counters_conserve(s):
    for daemon in (s.hub, s.van):
        conserves(daemon)


def silence(s, *addresses):
    """The hub is no more at these addresses: nothing arrives there, nothing leaves from there."""
    rules = ["".join(f"{'ip6' if ':' in a else 'ip'} {end} {a} drop\n" for a in addresses)
             for end in ("daddr", "saddr")]
    nft(s.b, "moved", "inet", f"""
        chain in {{ type filter hook input priority 0;
            {rules[0]} }}
        chain out {{ type filter hook output priority 0;
            {rules[1]} }}""")


@case
def names_are_asked_again_when_nobody_answers(s):
    done = s.a.run(["unshare", "-m", "true"], check=False)
    if done.returncode != 0:
        raise Skip(f"no mount namespace of its own: {done.stderr.strip()}")
    hosts = os.path.join(s.lab.dir, "hosts")

    def write(*addresses):
        with open(hosts, "w") as file:
            file.write("127.0.0.1 localhost\n")
            file.writelines(f"{address} hub.test\n" for address in addresses)
    write(HUB4, HUB6)
    for daemon in (s.hub, s.van):
        daemon.stop()
    config(s, peers=[{"name": "hub", "endpoint": ["hub.test:8420"]}])
    script = f'mount --bind {hosts} /etc/hosts && exec "$@"'
    s.van.start(["unshare", "-m", "sh", "-c", script, "sh"]).wait_up()
    lab_module.wait_until(lambda: len([p for p in s.van.peer()["paths"] if p["state"] == "up"]) == 4, 10,
                          lambda: f"two links times two families: {s.van.peer()['paths']}")
    time.sleep(4)  # so that the last question was a while ago, as it would be
    write("192.0.2.77")
    pinger = Pinger(s.a, "10.88.0.2", count=300)
    silence(s, HUB4, HUB6)
    begun = time.monotonic()
    lab_module.wait_until(lambda: {p["remote"] for p in s.van.peer()["paths"] if p["state"] == "up"} ==
                          {"192.0.2.77:8420"}, 30,
                          lambda: f"the name is asked again: {s.van.peer()['paths']}\n{s.van.log()}")
    print(f"# the peer is found at its new address {time.monotonic() - begun:.1f} s after it left the old")
    pinger.wait(60)
    result = s.a.ping("10.88.0.2", count=20, interval=0.01)
    expect(result.lost == 0, f"{result.lost} lost")


@case
def one_link_may_have_names_of_its_own(s):
    """Silence of one link's peer is enough to ask for its name again, while another link works."""
    done = s.a.run(["unshare", "-m", "true"], check=False)
    if done.returncode != 0:
        raise Skip(f"no mount namespace of its own: {done.stderr.strip()}")
    hosts = os.path.join(s.lab.dir, "hosts")
    with open(hosts, "w") as file:
        file.write("127.0.0.1 localhost\n192.0.2.77 two.test\n")
    for daemon in (s.hub, s.van):
        daemon.stop()
    s.b.run(["nft", "delete", "table", "inet", "moved"], check=False)
    config(s, links=[{"name": "wan1", "interface": "wan1", "endpoint": [f"{HUB4}:8420"]},
                     {"name": "wan2", "interface": "wan2", "endpoint": ["two.test:8420"]}])
    script = f'mount --bind {hosts} /etc/hosts && exec "$@"'
    s.van.start(["unshare", "-m", "sh", "-c", script, "sh"]).wait_up(paths=2)
    time.sleep(3)
    with open(hosts, "w") as file:
        file.write("127.0.0.1 localhost\n192.0.2.10 two.test\n")
    pinger = Pinger(s.a, "10.88.0.2", count=400)
    silence(s, "192.0.2.77")
    begun = time.monotonic()
    lab_module.wait_until(lambda: s.van.paths()["wan2"]["remote"] == "192.0.2.10:8420"
                          and up(s.van) == ["wan1", "wan2"], 30,
                          lambda: f"{s.van.peer()['paths']}\n{s.van.log()}")
    print(f"# wan2's peer is found at its new address after {time.monotonic() - begun:.1f} s")
    result = pinger.wait(60)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost_numbers()} lost")
    expect([s.van.stop(), s.hub.stop()] == [0, 0], "exit codes")


main(setup)
