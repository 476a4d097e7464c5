#!/usr/bin/env python3
"""A TUN tunnel over links of MTU 1420, as cellular ones have: no byte wasted.

wan1's devices say that their MTU is 1420. wan2's say 1500, but a network on the way swallows what is
larger than 1420 without a word; the configuration knows it. A path of 1420 leaves 1360 bytes for the
inner packet: 28 for IPv4 and UDP, 32 for the header and the tag of the seal.
"""

from checks import all_arrive_once, conserves, tcp_transfer, traffic
from tap import case, expect, main

from daemon import start_pair


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.a, s.b = lab.host("a"), lab.host("b")
    s.links = [lab.link(f"wan{i}", s.a, s.b, "rate 100M delay 5ms mtu 1420") for i in (1, 2)]
    for host in (s.a, s.b):
        host.ip("link set wan1 mtu 1420")
    s.on_a, s.on_b = start_pair(lab, s.a, s.b, s.links, tunnel={"type": "tun"},
                                link_options={"wan2": {"mtu": 1420}})
    return s


def sealed_for(s, size, count=20):
    """How many sealed packets a ping of `size` bytes of IPv4 needs, from a to b; all must answer."""
    before = s.on_a.status()["totals"]
    # IPv6 chatter of the kernel (it has none for an addressed tun device) would show as a fraction.
    result = s.a.ping("10.88.0.2", count=count, interval=0.02, size=size - 28, extra=["-M", "do"])
    after = s.on_a.status()["totals"]
    expect((result.lost, result.duplicates) == (0, 0), f"{size}: {result.lost} lost")
    packets = after["tx_sent"] - before["tx_sent"]
    expect(packets == count, f"{packets} packets were sent for {count} pings")
    return (after["tx_source_packets"] - before["tx_source_packets"]) / count


@case
def ipv4_and_ipv6_pass(s):
    for address in ("10.88.0.2", "fd88::2"):
        result = s.a.ping(address, count=50, interval=0.01)
        expect((result.lost, result.duplicates) == (0, 0), f"{address}: {result.lost} lost, "
               f"{result.duplicates} twice")


@case
def device_is_of_layer_3(s):
    expect("NOARP" in s.a.ip("link show dev hw0"), "hw0 does ARP")


@case
def packet_of_1360_passes_whole(s):
    expect(sealed_for(s, 1360) == 1, "1360 bytes were cut")


@case
def packet_of_1361_is_cut_in_two(s):
    expect(sealed_for(s, 1361) == 2, "1361 bytes in one sealed packet: a path of 1420 cannot hold it")


@case
def packet_of_the_whole_mtu_is_cut_in_two(s):
    expect(sealed_for(s, 1500) == 2, "1500 bytes were not cut in two")


@case
def nothing_vanished_on_the_way(s):
    for link in s.links:
        for direction, stats in link.stats().items():
            if direction in ("ab", "ba"):
                expect(stats["fates"]["mtu"] == 0, f"{link.name}: too large for it: {stats}")


@case
def inner_fragments_pass(s):
    result = s.a.ping("10.88.0.2", count=10, interval=0.05, size=8000)
    expect(result.lost == 0, f"{result.lost} of 10 lost")
    result = s.a.ping("fd88::2", count=10, interval=0.05, size=8000)
    expect(result.lost == 0, f"{result.lost} of 10 lost")


@case
def datagrams_arrive_whole_and_once(s):
    for size in (24, 1332, 1333, 1472):
        all_arrive_once(*traffic(s.a, s.b, "10.88.0.2", 1000, 0.5, size))


@case
def tcp_is_clamped_and_arrives_byte_for_byte(s):
    before = s.on_a.status()["totals"]
    mss = tcp_transfer(s.a, s.b, "10.88.0.2", 5_000_000)
    after = s.on_a.status()["totals"]
    # 1360 less 20 of IPv4, 20 of TCP and 12 of its timestamps.
    expect(mss == 1308, f"the MSS is {mss}")
    packets = after["tx_sent"] - before["tx_sent"]
    sources = after["tx_source_packets"] - before["tx_source_packets"]
    expect(packets > 3000 and sources == packets, f"{packets} packets became {sources}")


@case
def counters_conserve(s):
    for daemon in (s.on_a, s.on_b):
        conserves(daemon)
    expect([d.stop() for d in (s.on_a, s.on_b)] == [0, 0], "exit codes")


main(setup)
