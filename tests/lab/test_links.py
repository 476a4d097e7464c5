#!/usr/bin/env python3
"""Links that are found and followed: a van whose modems come and go, a hub that only listens.

The hub has one address of its own, 192.0.2.9, behind every link; the van's interfaces are veth devices
with a default route each. Times are printed as they were measured; what is asserted leaves room for a
machine that is busy."""

import json
import os
import re
import signal
import socket
import time

from checks import conserves
from tap import case, expect, main

import lab as lab_module
from daemon import Daemon, secret_file
from lab import Pinger
from net import plug, readdress, rename, unplug

HUB4, HUB6 = "192.0.2.9", "2001:db8::9"
ENDPOINT4, ENDPOINT6 = f"{HUB4}:8420", f"[{HUB6}]:8420"
PLUG_WITHIN = 1.0  # s, as promised
BUSY = 3           # what a busy machine may add to times that are promised in milliseconds: s


class Shared:
    pass


def fast_status(daemon):
    """As daemon.status(), within a millisecond: no process is started."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(5)
        client.connect(os.path.join(daemon.dir, "run", f"{daemon.device}.sock"))
        client.sendall(b'{"request":"status"}\n')
        answer = b""
        while not answer.endswith(b"\n"):
            part = client.recv(1 << 16)
            if not part:
                break
            answer += part
    answer = json.loads(answer)
    return answer.get("status", answer)


def peer(daemon):
    return fast_status(daemon)["peers"][0]


def links(daemon):
    return {link["name"]: link for link in fast_status(daemon)["links"]}


def paths(daemon, state="up"):
    """Remote addresses by link, of paths in that state."""
    found = {}
    for path in peer(daemon)["paths"]:
        if path["state"] == state:
            found.setdefault(path["link"], []).append(path["remote"])
    return found


def until(check, timeout, what):
    """Seconds until check() is true."""
    begun = time.monotonic()
    lab_module.wait_until(check, timeout, what, pause=0.002)
    return time.monotonic() - begun


def until_links(s, names, timeout=PLUG_WITHIN + BUSY):
    return until(lambda: sorted(paths(s.van)) == sorted(names), timeout,
                 lambda: f"paths on {names}: {peer(s.van)['paths']}\n{s.van.log()}")


def plug_in(s, number, name=None, ipv6=False, route=True):
    """A modem: its interface appears on the van, then its address, then its route."""
    name = name or f"wan{number}"
    plug(s.a, s.b, name, number, name_b=f"hub{number}", ipv6=ipv6)
    if route:
        s.a.ip(f"route add default via 10.1.{number}.2 dev {name} metric {number}")
        if ipv6:
            s.a.ip(f"-6 route add default via fd01:{number}::2 dev {name} metric {number}")


def start(s, options, wrapper=(), hub=None):
    """Both daemons anew, the van with these keys of its configuration."""
    for daemon in s.running:
        daemon.stop()
    secret = secret_file(s.lab, "links")
    s.hub = Daemon(s.b, {"tunnel": {"device": "hw0", "type": "tap", "address": ["10.88.0.2/24"]},
                         "identity": {"secret-file": secret}, "listen": 8420, **(hub or {})}).start()
    s.van = Daemon(s.a, {"tunnel": {"device": "hw0", "type": "tap", "address": ["10.88.0.1/24"]},
                         "identity": {"secret-file": secret},
                         "peers": [{"name": "hub", "endpoint": [ENDPOINT4]}],
                         **options}).start(wrapper)
    s.running = [s.hub, s.van]


def plugged(s):
    """Names of the van's interfaces that are modems."""
    found = json.loads(s.a.ip("-j link show type veth"))
    return [link["ifname"] for link in found]


def unplug_all(s):
    for name in plugged(s):
        unplug(s.a, name)


def ping(s, count=20):
    result = s.a.ping("10.88.0.2", count=count, interval=0.01)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost} of {count} lost")


def log_count(daemon, pattern):
    return len(re.findall(pattern, daemon.log(100000)))


def setup(lab):
    s = Shared()
    s.lab, s.running = lab, []
    s.a, s.b = lab.host("a"), lab.host("b")
    s.b.sysctl("ipv4/conf/all/rp_filter", 0)
    s.a.sysctl("ipv4/conf/all/promote_secondaries", 1)  # as distributions have it
    s.b.ip(f"addr add {HUB4}/32 dev lo")
    s.b.ip(f"addr add {HUB6}/128 dev lo")
    start(s, {})
    return s


@case
def nothing_is_named_and_nothing_is_there(s):
    expect(fast_status(s.van)["links"] == [], f"{links(s.van)}")
    expect(list(links(s.hub)) == ["any"], f"the hub's links: {links(s.hub)}")


@case
def plugged_in_carries_within_a_second(s):
    for number in (1, 2):
        begun = time.monotonic()
        plug_in(s, number)
        made = time.monotonic() - begun
        took = until_links(s, [f"wan{i}" for i in range(1, number + 1)])
        print(f"# wan{number}: {1000 * made:.0f} ms to plug, address and route it, path up "
              f"{1000 * took:.0f} ms later")
        expect(took < PLUG_WITHIN, f"{took:.2f} s")
    expect(sorted(links(s.van)) == ["wan1", "wan2"], f"{links(s.van)}")
    ping(s)


@case
def what_leads_nowhere_is_no_link(s):
    s.a.ip("link add br0 type bridge")
    s.a.ip("link add dock0 type bridge")  # as docker0: an address, but no way out
    s.a.ip("addr add 172.17.0.1/16 dev dock0")
    s.a.ip("link set dock0 up")
    s.a.ip("link set br0 up")
    # A default route through the tunnel itself, as a gateway behind it would have it.
    s.a.ip("route add default via 10.88.0.2 dev hw0 metric 100")
    s.a.ip("tuntap add vpn0 mode tun")
    s.a.ip("addr add 10.77.0.1/24 dev vpn0")
    s.a.ip("link set vpn0 up")
    s.a.ip("route add default dev vpn0 metric 101")
    # Nor is another daemon's tunnel, whatever folders that one uses.
    other = Daemon(s.a, {"tunnel": {"device": "hw1", "type": "tun", "address": ["10.99.0.1/24"]},
                         "identity": {"secret-file": secret_file(s.lab, "other")}, "listen": 9999})
    other.start()
    s.a.ip("route add default dev hw1 metric 102")
    time.sleep(0.3)
    expect(sorted(links(s.van)) == ["wan1", "wan2"], f"{links(s.van)}")
    ping(s)
    expect(other.stop() == 0, "exit code")
    s.a.ip("route del default dev hw0 metric 100")
    for name in ("br0", "dock0", "vpn0"):
        s.a.ip(f"link del {name}")


@case
def unplugged_costs_nothing_and_is_gone_at_once(s):
    handshake = log_count(s.van, "session up")
    pinger = Pinger(s.a, "10.88.0.2", count=150)
    time.sleep(0.5)
    begun = time.monotonic()
    s.a.ip("link set wan1 up")  # what a command takes, to be taken off
    command = time.monotonic() - begun
    unplug(s.a, "wan1")
    took = until(lambda: list(links(s.van)) == ["wan2"], BUSY, "wan1 is gone")
    result = pinger.wait(20)
    print(f"# gone {1000 * took:.0f} ms after `ip link del` (which takes about {1000 * command:.0f} ms) "
          f"had returned; {result.lost} of {result.sent} pings lost")
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost_numbers()} lost")
    expect(log_count(s.van, "session up") == handshake, "there was a new session")


@case
def plugged_in_again_carries_within_a_second(s):
    plug_in(s, 1)
    took = until_links(s, ["wan1", "wan2"])
    print(f"# path up {1000 * took:.0f} ms after the route")
    expect(took < PLUG_WITHIN, f"{took:.2f} s")


@case
def address_that_changes_keeps_the_session(s):
    """Of the only link: without an address for a while, with both for a moment, with none between."""
    unplug(s.a, "wan2")
    until_links(s, ["wan1"])
    begun, age, address = time.monotonic(), peer(s.van)["handshake_age_s"], 1
    for gap in (None, 0.0, 0.4):
        pinger = Pinger(s.a, "10.88.0.2", count=250, timeout=1)
        time.sleep(0.5)
        address += 2
        readdress(s.a, "wan1", f"10.1.1.{address}/24", gap=gap)
        s.a.ip("route replace default via 10.1.1.2 dev wan1 metric 1")
        back = until(lambda: [p["remote"].startswith(f"10.1.1.{address}:") for p in
                              peer(s.hub)["paths"] if p["state"] == "up"] == [True], BUSY,
                     lambda: f"the hub sees 10.1.1.{address}: {peer(s.hub)['paths']}")
        result = pinger.wait(20)
        missing = result.lost_numbers()
        print(f"# gap {gap}: the hub's path moved {1000 * back:.0f} ms after the route; "
              f"{len(missing)} pings of 10 ms lost")
        # The pause that is made here, and what `ip` takes for its commands, is none of ours.
        expect(len(missing) <= 100 * ((gap or 0) + 1), f"{missing}")
        expect(peer(s.van)["state"] == "up", f"{peer(s.van)}")
    older = peer(s.van)["handshake_age_s"] - age
    expect(older > time.monotonic() - begun - 1, f"the keys are older by {older} s only")
    expect(peer(s.hub)["state"] == "up" and len(peer(s.hub)["paths"]) <= 2, f"{peer(s.hub)['paths']}")
    ping(s)


@case
def no_address_for_a_while_is_no_way_out(s):
    """What has no address must not leave with another interface's."""
    plug_in(s, 2)
    until_links(s, ["wan1", "wan2"])
    s.a.ip("addr flush dev wan2")
    until_links(s, ["wan1"])
    reason = links(s.van)["wan2"]["reason"]
    expect("no address" in reason or "no route" in reason, reason)
    before = s.a.counters("wan2")["tx"]["packets"]
    ping(s, 100)
    sent = s.a.counters("wan2")["tx"]["packets"] - before
    expect(sent <= 5, f"{sent} packets left by an interface without an address")
    s.a.ip("addr add 10.1.2.1/24 dev wan2")
    s.a.ip("route add default via 10.1.2.2 dev wan2 metric 2")
    until_links(s, ["wan1", "wan2"])


@case
def without_a_link_the_peer_is_not_blamed(s):
    """The log says that there is no link, not that the peer is silent."""
    unplug_all(s)
    start(s, {})
    plug_in(s, 1)
    until_links(s, ["wan1"])
    ping(s)
    s.a.ip("addr flush dev wan1")
    until(lambda: "no link is in use, session down" in s.van.log(100), BUSY, "the log says why")
    expect("silent on every path" not in s.van.log(100), s.van.log(100))
    s.a.ip("addr add 10.1.1.1/24 dev wan1")
    s.a.ip("route add default via 10.1.1.2 dev wan1 metric 1")
    until_links(s, ["wan1"])
    until(lambda: s.van.log(100).count("session up") == 2, PLUG_WITHIN + BUSY, "it goes on")
    plug_in(s, 2)
    until_links(s, ["wan1", "wan2"])
    ping(s)


@case
def carrier_that_is_lost_costs_nothing(s):
    pinger = Pinger(s.a, "10.88.0.2", count=150)
    time.sleep(0.3)
    s.b.ip("link set hub2 down")
    took = until(lambda: sorted(paths(s.van)) == ["wan1"], BUSY, "wan2 carries no more")
    expect("no carrier" in links(s.van)["wan2"]["reason"], f"{links(s.van)}")
    s.b.ip("link set hub2 up")
    back = until_links(s, ["wan1", "wan2"])
    result = pinger.wait(20)
    print(f"# noticed {1000 * took:.0f} ms after, up {1000 * back:.0f} ms after it is back")
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost_numbers()} lost")
    expect(back < PLUG_WITHIN, f"{back:.2f} s")


@case
def route_that_goes_takes_its_link(s):
    s.a.ip("route del default dev wan2")
    until_links(s, ["wan1"])
    expect("no route" in links(s.van)["wan2"]["reason"], f"{links(s.van)}")
    s.a.ip("route add 192.0.2.0/24 via 10.1.2.2 dev wan2")  # one that covers the hub will do
    took = until_links(s, ["wan1", "wan2"])
    print(f"# up {1000 * took:.0f} ms after the route")
    expect(took < PLUG_WITHIN, f"{took:.2f} s")


@case
def patterns_names_and_exclusions(s):
    unplug_all(s)
    start(s, {"links": [{"name": "dsl", "interface": "eth0"},
                        {"name": "lte", "interface": "wan*"}],
              "links-exclude": ["wan9", "*x"]})
    expect(list(links(s.van)) == ["dsl"], f"{links(s.van)}")
    plug_in(s, 1)
    plug_in(s, 2, route=False)  # a rule's link is not asked for its route: the hub may be a neighbour
    plug_in(s, 9, name="wan9")
    plug_in(s, 8, name="wanx")
    plug_in(s, 5, name="eth0")
    took = until_links(s, ["dsl", "lte/wan1", "lte/wan2"])
    expect(sorted(links(s.van)) == ["dsl", "lte/wan1", "lte/wan2"], f"{links(s.van)}")
    print(f"# eth0 up {1000 * took:.0f} ms after its route")
    ping(s)


@case
def renamed_interfaces_follow_the_rules(s):
    """One that still fits keeps its path; one that fits no more, or anew, goes or comes."""
    pinger = Pinger(s.a, "10.88.0.2", count=300)
    time.sleep(0.2)
    s.a.ip("link set wan1 down")
    s.a.ip("link set wan1 name wan7")
    s.a.ip("link set wan7 up")
    s.a.ip("route add default via 10.1.1.2 dev wan7 metric 1")
    took = until_links(s, ["dsl", "lte/wan2", "lte/wan7"])
    print(f"# the renamed link is back {1000 * took:.0f} ms after its route")
    expect(log_count(s.van, "link lte/wan1: now called lte/wan7") == 1, s.van.log())
    expect(log_count(s.van, "link lte/wan1: removed") == 0, s.van.log())
    rename(s.a, "wan2", "tty2")
    until_links(s, ["dsl", "lte/wan7"])
    expect("lte/wan2" not in links(s.van) and "tty2" not in str(links(s.van)), f"{links(s.van)}")
    rename(s.a, "tty2", "wan3")
    s.a.ip("route add default via 10.1.2.2 dev wan3 metric 2")
    until_links(s, ["dsl", "lte/wan3", "lte/wan7"])
    result = pinger.wait(20)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost_numbers()} lost")


@case
def renamed_while_up_keeps_everything(s):
    """Newer kernels rename an interface that is up: not even the socket may notice."""
    ports = log_count(s.van, "link lte/wan3: ready")
    done = s.a.run(["ip", "link", "set", "wan3", "name", "wan4"], check=False)
    if done.returncode != 0:
        print("# this kernel does not")
        rename(s.a, "wan3", "wan4")
        s.a.ip("route add default via 10.1.2.2 dev wan4 metric 2")
    until_links(s, ["dsl", "lte/wan4", "lte/wan7"])
    if done.returncode == 0:
        expect(log_count(s.van, "link lte/wan4: ready") == 0, s.van.log(6))
    expect(log_count(s.van, "link lte/wan3: ready") == ports, s.van.log(6))
    ping(s)


@case
def an_index_that_is_used_again_is_another_interface(s):
    index = json.loads(s.a.ip("-j link show dev wan4"))[0]["ifindex"]
    unplug(s.a, "wan4")
    s.a.ip(f"link add wan4 index {index} type veth peer name hub2 netns {s.b.sleeper.pid}")
    for host, device, last in ((s.b, "hub2", 2), (s.a, "wan4", 1)):
        host.ip(f"addr add 10.1.2.{last}/24 dev {device}")
        host.ip(f"link set {device} up")
    s.a.ip("route add default via 10.1.2.2 dev wan4 metric 2")
    took = until_links(s, ["dsl", "lte/wan4", "lte/wan7"])
    print(f"# up {1000 * took:.0f} ms after its route")
    ping(s)


@case
def the_first_rule_has_an_interface(s):
    unplug_all(s)
    start(s, {"links": [{"name": "lte", "interface": "wan*"}, {"name": "main", "interface": "wan1"},
                        {"name": "no", "interface": "eth*", "use": "never"},
                        {"name": "rest", "interface": "*"}]})
    plug_in(s, 1)
    plug_in(s, 2)
    plug_in(s, 5, name="eth0")
    plug_in(s, 6, name="usb0")
    until_links(s, ["lte/wan1", "lte/wan2", "rest/usb0"])
    time.sleep(0.2)
    expect(sorted(links(s.van)) == ["lte/wan1", "lte/wan2", "main", "rest/usb0"], f"{links(s.van)}")
    for name in ("wan1", "wan2"):
        unplug(s.a, name)
    plug_in(s, 1)
    until_links(s, ["lte/wan1", "rest/usb0"])
    said = log_count(s.van, "interface wan1: links lte and main both mean it; lte, which stands first")
    expect(said == 1, f"said {said} times\n{s.van.log()}")


@case
def two_addresses_of_one_interface_are_two_links(s):
    unplug_all(s)
    start(s, {"links": [{"name": "one", "interface": "wan1", "address": "10.1.1.1"},
                        {"name": "two", "interface": "wan1", "address": "10.1.1.50"},
                        {"name": "where", "address": "10.1.2.1"}]})
    plug_in(s, 1)
    until_links(s, ["one"])
    s.a.ip("addr add 10.1.1.50/24 dev wan1")
    took = until_links(s, ["one", "two"])
    print(f"# second address carries after {1000 * took:.0f} ms")
    plug_in(s, 2)
    until_links(s, ["one", "two", "where"])
    sources = {p["link"]: (p["interface"], p["local"]) for p in peer(s.van)["paths"]}
    expect(sources == {"one": ("wan1", "10.1.1.1"), "two": ("wan1", "10.1.1.50"),
                       "where": ("wan2", "10.1.2.1")}, f"{sources}")
    ping(s)
    # The address moves to another interface, and its link with it.
    unplug(s.a, "wan2")
    until_links(s, ["one", "two"])
    plug_in(s, 2, name="usb7")
    until_links(s, ["one", "two", "where"])
    expect(links(s.van)["where"]["interface"] == "usb7", f"{links(s.van)['where']}")


@case
def one_address_on_two_interfaces(s):
    """As two modems that both call themselves 192.168.8.100, and a hub that answers where it was
    asked, being bound there too."""
    unplug_all(s)
    start(s, {"links": [{"name": "one", "interface": "usb1"}, {"name": "two", "interface": "usb2"}]},
          hub={"links": [{"name": "first", "interface": "hub1"}, {"name": "second", "interface": "hub2"}]})
    for number in (1, 2):
        name, far = f"usb{number}", f"hub{number}"
        s.a.ip(f"link add {name} type veth peer name {far} netns {s.b.sleeper.pid}")
        for host, device, address in ((s.b, far, f"192.168.8.{number}/24"),
                                      (s.a, name, "192.168.8.100/24")):
            host.sysctl(f"ipv6/conf/{device}/disable_ipv6", 1)
            host.ip(f"addr add {address} dev {device}")
            host.ip(f"link set {device} up")
        s.a.ip(f"route add default via 192.168.8.{number} dev {name} metric {number}")
    until_links(s, ["one", "two"])
    sources = {p["link"]: p["local"] for p in peer(s.van)["paths"]}
    expect(sources == {"one": "192.168.8.100", "two": "192.168.8.100"}, f"{sources}")
    before = [s.a.counters(f"usb{i}")["tx"]["packets"] for i in (1, 2)]
    ping(s, 50)
    carried = [s.a.counters(f"usb{i}")["tx"]["packets"] - n for i, n in zip((1, 2), before)]
    expect(min(carried) >= 50, f"packets by each: {carried}")
    unplug_all(s)


@case
def more_than_sixteen_are_named_in_one_line(s):
    unplug_all(s)
    start(s, {})
    for number in range(1, 20):
        plug_in(s, number)
    until(lambda: len(links(s.van)) == 16, PLUG_WITHIN + BUSY, "16 links")
    time.sleep(0.3)
    expect(len(links(s.van)) == 16, f"{list(links(s.van))}")
    last = re.findall(r"more than 16 links; not used are ([a-z0-9 ]*):", s.van.log(100000))[-1].split()
    expect(sorted(last + list(links(s.van))) == sorted(f"wan{i}" for i in range(1, 20)),
           f"{last} beside {list(links(s.van))}")
    ping(s)
    # One goes, one that waited comes.
    unplug(s.a, list(links(s.van))[0])
    until(lambda: len(links(s.van)) == 16 and last[0] in links(s.van), BUSY,
          lambda: f"{last[0]} has a place: {list(links(s.van))}")
    unplug_all(s)
    until(lambda: links(s.van) == {}, BUSY, "all are gone")


@case
def each_link_uses_the_families_that_it_has(s):
    start(s, {"peers": [{"name": "hub", "endpoint": [ENDPOINT4, ENDPOINT6]}]})
    plug_in(s, 1)
    plug_in(s, 2, ipv6=True)
    plug_in(s, 3, ipv6=True)
    s.a.ip("addr del 10.1.3.1/24 dev wan3")
    until(lambda: paths(s.van) == {"wan1": [ENDPOINT4], "wan2": [ENDPOINT4, ENDPOINT6],
                                   "wan3": [ENDPOINT6]}, PLUG_WITHIN + BUSY,
          lambda: f"{paths(s.van)}\n{peer(s.van)['paths']}")
    expect(len(peer(s.van)["paths"]) == 4, f"{peer(s.van)['paths']}")
    # A family that comes later.
    s.a.sysctl("ipv6/conf/wan1/disable_ipv6", 0)
    s.b.sysctl("ipv6/conf/hub1/disable_ipv6", 0)
    s.b.ip("addr add fd01:1::2/64 dev hub1 nodad")
    s.a.ip("addr add fd01:1::1/64 dev wan1 nodad")
    s.a.ip("-6 route add default via fd01:1::2 dev wan1 metric 1")
    took = until(lambda: paths(s.van).get("wan1") == [ENDPOINT4, ENDPOINT6], PLUG_WITHIN + BUSY,
                 lambda: f"{paths(s.van)}")
    print(f"# IPv6 joins IPv4 on wan1 {1000 * took:.0f} ms after its route")
    s.a.ip("-6 addr flush dev wan1 scope global")
    until(lambda: paths(s.van).get("wan1") == [ENDPOINT4], BUSY, lambda: f"{paths(s.van)}")
    ping(s)


@case
def backup_goes_over_the_other_link_at_once(s):
    """The link that carries everything is pulled out."""
    unplug_all(s)
    start(s, {"policy": {"mode": "backup"}}, hub={"policy": {"mode": "backup"}})
    for number in (1, 2):
        plug_in(s, number)
    until_links(s, ["wan1", "wan2"])
    time.sleep(1)
    before = {name: s.a.counters(name)["tx"]["packets"] for name in ("wan1", "wan2")}
    pinger = Pinger(s.a, "10.88.0.2", count=300)
    time.sleep(1)
    sent = {name: s.a.counters(name)["tx"]["packets"] - n for name, n in before.items()}
    carrier = max(sent, key=sent.get)
    unplug(s.a, carrier)
    result = pinger.wait(30)
    print(f"# {result.lost} pings of 10 ms lost when {carrier}, which carried {sent[carrier]} packets and "
          f"the other {min(sent.values())}, was pulled out")
    # 50 ms are promised: what was under way, and the removal itself; the rest is the machine's.
    expect(result.lost <= 20, f"{result.lost_numbers()}")


@case
def news_that_was_lost_is_made_up_for(s):
    """The daemon sleeps while more happens than the kernel keeps for it."""
    until(lambda: len(links(s.van)) == 1, BUSY, "one link")
    left = list(links(s.van))[0]
    other = "wan1" if left == "wan2" else "wan2"
    s.van.process.send_signal(signal.SIGSTOP)
    plug_in(s, int(other[-1]))
    s.a.run(["ip", "-batch", "-"], timeout=30,
            input="".join(f"link set {left} mtu {1400 + i % 2}\n" for i in range(6000)))
    unplug(s.a, left)
    plug_in(s, 3)
    table = s.a.run(["cat", "/proc/net/netlink"]).stdout.splitlines()
    drops = sum(int(line.split()[8]) for line in table[1:])
    expect(drops > 0, "nothing was lost: " + "\n".join(table))
    s.van.process.send_signal(signal.SIGCONT)
    took = until_links(s, ["wan3", other], timeout=5 + BUSY)
    print(f"# {drops} pieces of news lost; up to date {1000 * took:.0f} ms after it went on")
    ping(s)


@case
def counters_conserve(s):
    for daemon in s.running:
        conserves(daemon)
    unplug_all(s)
    expect([daemon.stop() for daemon in s.running] == [0, 0], "exit codes")


main(setup)
