#!/usr/bin/env python3
"""A way whose MTU changes without a word: a router in between that drops what is too large, and ICMP.

    a 10.1.9.1 ---- veth lan ---- r ---- wan1, 10 ms ---- b 10.1.1.2

All devices of a and b say 1500. The router's devices are what gets smaller; nftables keeps its ICMP
from leaving. And it forges ICMP that nobody should believe.
"""

import time

from checks import conserves, tcp_transfer
from tap import Skip, case, expect, main

import lab as lab_module
from daemon import Daemon, configs, secret_file
from lab import LabError, Pinger

PING_EVERY = 0.01
BACK = 3.0  # s; the promise is 2, the machine has other things to do as well

# Forged by the router: "fragmentation needed, the next hop takes MTU", about a datagram that src sent.
FORGE = """
import socket, struct, sys
src, sport, dst, dport, mtu, count = sys.argv[1:7]
def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
def ip(source, target, protocol, body, size=None):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, size or 20 + len(body), 1, 0x4000, 64, protocol, 0,
                       socket.inet_aton(source), socket.inet_aton(target))
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body
quoted = ip(src, dst, 17, struct.pack(">HHHH", int(sport), int(dport), 1472 + 8, 0), 1500)
icmp = struct.pack(">BBHHH", 3, 4, 0, 0, int(mtu)) + quoted
icmp = icmp[:2] + struct.pack(">H", checksum(icmp)) + icmp[4:]
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
raw.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, 7)
for _ in range(int(count)):
    raw.sendto(ip(dst, src, 1, icmp), (src, 0))
"""


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.lab = lab
    s.a, s.r, s.b = lab.host("a"), lab.host("r"), lab.host("b")
    lab.link("wan1", s.r, s.b, "rate 100M delay 10ms")
    lab.veth("lan", s.a, s.r, 9)
    s.a.ip("route add default via 10.1.9.2")
    s.b.ip("route add default via 10.1.1.1")
    s.r.sysctl("ipv4/ip_forward", 1)
    s.missing = None
    try:
        s.r.run(["nft", "-f", "-"], input="""
            table ip lab {
                chain out {
                    type filter hook output priority 0;
                    icmp type destination-unreachable meta mark != 7 drop
                }
            }
        """)
    except LabError as error:
        s.missing = str(error)
        return s
    config_a, config_b = configs(lab, ["lan"], secret_file(lab))
    config_a["links"][0]["endpoint"] = ["10.1.1.2:8420"]
    config_b["links"][0].update({"name": "wan1", "interface": "wan1"})
    s.on_b = Daemon(s.b, config_b).start()
    s.on_a = Daemon(s.a, config_a).start()
    s.on_a.wait_up(paths=1)
    s.on_b.wait_up(paths=1)
    return s


def need(s):
    if s.missing:
        raise Skip(f"no nftables: {s.missing}")


def takes(daemon):
    """What its path takes, and whether that is the end of the search."""
    for path in daemon.peer()["paths"]:
        if path["state"] in ("up", "suspect"):
            return path["mtu"], path["mtu_search"]
    return 0, "no path"


def wait_found(s, there, back):
    for daemon, mtu in ((s.on_a, there), (s.on_b, back)):
        lab_module.wait_until(lambda d=daemon, m=mtu: takes(d) == (m, "complete"), 20,
                              lambda d=daemon, m=mtu: f"{d.host.name}: {takes(d)}, not {m}\n"
                              f"{d.log()}")


def shrink(s, there, back):
    s.r.run(["sh", "-c", f"ip link set wan1 mtu {there}; ip link set lan mtu {back}"])


def longest_gap(result):
    """Seconds of the longest run of pings without an answer."""
    longest = run = 0
    for number in range(1, result.sent + 1):
        run = 0 if number in result.rtts else run + 1
        longest = max(longest, run)
    return longest * PING_EVERY


def across(s, there, back, size=1380):
    """Pings both ways while the MTU of the way changes; returns the longest gaps of both."""
    pingers = [Pinger(s.a, "10.88.0.2", count=800, interval=PING_EVERY, size=size),
               Pinger(s.b, "10.88.0.1", count=800, interval=PING_EVERY, size=size)]
    time.sleep(1)
    shrink(s, there, back)
    results = [pinger.wait(40) for pinger in pingers]
    gaps = [longest_gap(result) for result in results]
    print(f"# {there} bytes there, {back} back: gaps of {gaps[0]:.2f} and {gaps[1]:.2f} s, "
          f"{results[0].lost} and {results[1].lost} of 800 pings of {size + 28} bytes lost")
    for result, gap in zip(results, gaps):
        expect(gap <= BACK, f"a gap of {gap:.2f} s")
        expect(result.sent in result.rtts or result.sent - 1 in result.rtts, "not back at the end")
    return gaps


@case
def whole_way_is_found(s):
    need(s)
    wait_found(s, 1500, 1500)
    result = s.a.ping("10.88.0.2", count=50, interval=0.02, size=1380)
    expect(result.lost == 0, f"{result.lost} of 50 lost")


@case
def forged_icmp_changes_nothing(s):
    need(s)
    before = [takes(d) for d in (s.on_a, s.on_b)]
    sport = [line.split()[3].rsplit(":", 1)[1] for line in
             s.a.run(["ss", "-Hunl"]).stdout.splitlines()]
    pinger = Pinger(s.a, "10.88.0.2", count=300, interval=PING_EVERY, size=1380)
    for port in sport:
        s.r.run(["python3", "-c", FORGE, "10.1.9.1", port, "10.1.1.2", "8420", "300", "50"])
        s.r.run(["python3", "-c", FORGE, "10.1.1.2", "8420", "10.1.9.1", port, "300", "50"])
        s.r.run(["python3", "-c", FORGE, "10.1.9.1", port, "10.1.1.2", "8420", "1280", "5"])
    # The kernels did hear it, and believe it where others are concerned.
    believed = [host.ip(f"route get {to}") for host, to in ((s.a, "10.1.1.2"), (s.b, "10.1.9.1"))]
    expect(all(" mtu " in text for text in believed), f"the forgery was not even heard: {believed}")
    result = pinger.wait(20)
    expect(result.lost == 0, f"{result.lost} of 300 pings lost under forged ICMP")
    expect([takes(d) for d in (s.on_a, s.on_b)] == before, "the forged ICMP changed the MTU")
    result = s.b.ping("10.88.0.1", count=50, interval=0.02, size=1380)
    expect(result.lost == 0, f"{result.lost} of 50 lost")


@case
def black_hole_of_1280_is_left(s):
    need(s)
    across(s, 1280, 1280)
    wait_found(s, 1280, 1280)


@case
def black_hole_of_576_is_left(s):
    need(s)
    across(s, 576, 576)
    wait_found(s, 576, 576)
    result = s.a.ping("10.88.0.2", count=50, interval=0.02, size=1472)
    expect(result.lost == 0, f"{result.lost} of 50 lost")


@case
def tcp_passes_the_small_way_whole(s):
    need(s)
    mss = tcp_transfer(s.a, s.b, "10.88.0.2", 1_000_000)
    # 576 less 28 of IP and UDP, 32 of the seal, 14 of Ethernet, 40 of IP and TCP, 12 of timestamps.
    expect(mss == 576 - 28 - 32 - 14 - 40 - 12, f"the MSS is {mss}")


@case
def sizes_may_differ_by_way(s):
    need(s)
    shrink(s, 1500, 1500)
    for daemon in (s.on_a, s.on_b):
        daemon.stop()
        daemon.start()
    for daemon in (s.on_a, s.on_b):
        daemon.wait_up(paths=1)
    wait_found(s, 1500, 1500)
    across(s, 1280, 1500)
    wait_found(s, 1280, 1500)
    across(s, 1280, 1420)
    wait_found(s, 1280, 1420)


@case
def each_change_is_one_line(s):
    need(s)
    log = s.on_a.log(1000)
    expect("takes packets of 1280 bytes now (was 1500)" in log, f"no such line:\n{log}")
    expect("takes packets of 576 bytes now (was 1280)" in log, f"no such line:\n{log}")


@case
def large_transfers_arrive(s):
    need(s)
    shrink(s, 1500, 1500)
    for daemon in (s.on_a, s.on_b):
        daemon.stop()
        daemon.start()
    s.on_a.wait_up(paths=1)
    wait_found(s, 1500, 1500)
    tcp_transfer(s.a, s.b, "10.88.0.2", 10_000_000)
    tcp_transfer(s.b, s.a, "10.88.0.1", 10_000_000)


@case
def tunnel_follows_where_it_may(s):
    need(s)
    for daemon in (s.on_a, s.on_b):
        daemon.stop()
        daemon.config["tunnel"]["mtu"] = "auto"
        daemon.start()
    s.on_a.wait_up(paths=1)

    def mtus():
        return [int(h.ip("link show dev hw0").split(" mtu ")[1].split()[0]) for h in (s.a, s.b)]
    # 28 of IP and UDP, 32 of the seal, 14 of Ethernet; no less than IPv6 needs.
    lab_module.wait_until(lambda: mtus() == [1500 - 74] * 2, 15, lambda: f"1426: {mtus()}")
    across(s, 1400, 1400, size=1300)
    lab_module.wait_until(lambda: mtus() == [1400 - 74] * 2, 20, lambda: f"1326: {mtus()}")
    across(s, 1280, 1280, size=1280)
    lab_module.wait_until(lambda: mtus() == [1280] * 2, 20, lambda: f"1280: {mtus()}")


@case
def counters_conserve(s):
    need(s)
    for daemon in (s.on_a, s.on_b):
        conserves(daemon)
    expect([d.stop() for d in (s.on_a, s.on_b)] == [0, 0], "exit codes")


main(setup)
