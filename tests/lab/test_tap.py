#!/usr/bin/env python3
"""A TAP tunnel over three links, one of them IPv6: what it carries, what it says of itself."""

import time

from checks import all_arrive_once, conserves, tcp_transfer, traffic
from tap import Skip, case, expect, main

import lab as lab_module
from daemon import start_pair

STATUS_KEYS = {"version", "device", "mode", "uptime_s", "peers", "drops", "totals", "links"}
LINK_KEYS = {"name", "interface", "state", "reason", "use", "use_by", "price", "metered", "mtu", "tx_bytes",
             "tx_packets", "rx_bytes", "rx_packets", "counted_since_s", "quota"}
PEER_KEYS = {"name", "public_key", "state", "handshake_age_s", "paths", "pairs", "streams"}
PATH_KEYS = {"link", "interface", "local", "remote", "state", "rtt_ms", "owd_ms", "jitter_ms",
             "loss_tx", "loss_rx", "rate_tx_bps", "rate_rx_bps", "tx_packets", "tx_bytes",
             "rx_packets", "rx_bytes", "duplicates", "why", "state_age_s", "state_changes", "use",
             "price", "metered", "id", "observed", "mtu", "mtu_search", "mtu_probe_bytes",
             "rtt_min_ms", "rtt_variation_ms", "gap_ms", "bursts", "tx", "rx"}
WAY_KEYS = {"loss_1s", "loss_10s", "loss_60s", "queue_ms", "jitter_ms", "excess_ms", "rate_max_bps",
            "burst_mean", "burst_max", "reorder_share", "reorder_extent"}
STREAM_KEYS = {"class", "sent", "delivered", "duplicates", "lost"}


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.lab = lab
    s.a, s.b = lab.host("a"), lab.host("b")
    s.links = [lab.link(f"wan{i}", s.a, s.b, "rate 100M delay 5ms queue 250k", ipv6=i == 3)
               for i in (1, 2, 3)]
    s.on_a, s.on_b = start_pair(lab, s.a, s.b, s.links, ipv6_links=["wan3"])
    return s


@case
def ipv4_passes_and_arp_finds_the_peer(s):
    result = s.a.ping("10.88.0.2", count=50, interval=0.01)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost} lost, {result.duplicates} twice")
    hardware = s.b.ip("-br link show dev hw0").split()[2]
    expect(hardware in s.a.ip("neigh show 10.88.0.2 dev hw0"), f"{hardware} was not found by ARP")


@case
def ipv6_passes(s):
    result = s.a.ping("fd88::2", count=50, interval=0.01)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost} lost, {result.duplicates} twice")


@case
def broadcast_and_multicast_pass(s):
    s.b.sysctl("ipv4/icmp_echo_ignore_broadcasts", 0)
    result = s.a.ping("10.88.0.255", count=5, interval=0.05, extra=["-b"])
    expect((result.lost, result.duplicates) == (0, 0), f"broadcast: {result.lost} lost")
    done = s.a.run(["ping", "-n", "-c", 1, "-W", 2, "ff02::1%hw0"], check=False)
    local = s.b.ip("-6 -br addr show dev hw0 scope link").split()[2].split("/")[0]
    # Our own answer comes first and ends the count; the other host's is asked for by its address.
    expect(done.returncode == 0, done.stdout)
    expect(s.a.ping(f"{local}%hw0", count=3, interval=0.05).lost == 0, f"{local} does not answer")


@case
def every_size_passes(s):
    sizes = list(range(1350, 1473)) + [2000, 4000, 8000]
    script = "".join(f"ping -n -q -c 1 -W 2 -M {'do' if size <= 1472 else 'dont'} -s {size} "
                     f"10.88.0.2 >/dev/null || echo {size}; " for size in sizes)
    done = s.a.run(["sh", "-c", script], timeout=60)
    expect(done.stdout == "", f"payloads that did not pass: {done.stdout.split()}")
    done = s.a.run(["ping", "-n", "-q", "-c", 1, "-W", 1, "-M", "do", "-s", 1473, "10.88.0.2"],
                   check=False)
    expect(done.returncode != 0, "more than the tunnel's MTU went in whole")


@case
def datagrams_arrive_whole_and_once(s):
    for size in (24, 172, 1330, 1472):
        all_arrive_once(*traffic(s.a, s.b, "10.88.0.2", 1000, 0.5, size))
        all_arrive_once(*traffic(s.b, s.a, "fd88::1", 1000, 0.5, min(size, 1452)))


@case
def status_has_exactly_its_keys(s):
    for daemon in (s.on_a, s.on_b):
        status = daemon.status()
        expect(set(status) == STATUS_KEYS, f"{set(status) ^ STATUS_KEYS}")
        expect(status["device"] == "hw0" and status["mode"] == "redundant", f"{status}")
        for link in status["links"]:
            expect(set(link) == LINK_KEYS, f"{set(link) ^ LINK_KEYS}")
            expect(link["state"] == "ready" and link["quota"] is None, f"{link}")
        (peer,) = status["peers"]
        expect(set(peer) == PEER_KEYS, f"{set(peer) ^ PEER_KEYS}")
        expect(peer["state"] == "up" and peer["handshake_age_s"] > 0, f"{peer}")
        expect({p["link"] for p in peer["paths"]} == {"wan1", "wan2", "wan3"}, f"{peer['paths']}")
        for path in peer["paths"]:
            expect(set(path) == PATH_KEYS, f"{set(path) ^ PATH_KEYS}")
            expect(set(path["tx"]) == set(path["rx"]) == WAY_KEYS, f"{path}")
            expect(path["state"] == "up" and path["interface"] == path["link"], f"{path}")
            expect(10 <= path["rtt_ms"] < 40, f"a link of 5 ms each way: {path}")
            expect(path["loss_tx"] < 0.05 and path["loss_rx"] < 0.05, f"{path}")
            expect(path["tx_packets"] > 1000 and path["tx_bytes"] > 100_000, f"{path}")
        for stream in peer["streams"]:
            expect(set(stream) == STREAM_KEYS, f"{set(stream) ^ STREAM_KEYS}")
        data = next(x for x in peer["streams"] if x["class"] == 1)
        expect(data["lost"] == 0 and data["duplicates"] > data["delivered"], f"{data}")


@case
def links_that_duplicate_deliver_once(s):
    for link in s.links:
        link.set("duplicate 30%")
    try:
        all_arrive_once(*traffic(s.a, s.b, "10.88.0.2", 1000, 1))
    finally:
        for link in s.links:
            link.set("duplicate 0")


@case
def links_that_corrupt_deliver_nothing_wrong(s):
    for link in s.links[:2]:
        link.set("corrupt 50%")
    try:
        all_arrive_once(*traffic(s.a, s.b, "10.88.0.2", 1000, 1, 1000))
    finally:
        for link in s.links[:2]:
            link.set("corrupt 0")


@case
def tcp_transfers_arrive_byte_for_byte(s):
    mss = tcp_transfer(s.a, s.b, "10.88.0.2", 10_000_000)
    expect(1200 <= mss < 1448, f"the MSS is {mss}: not clamped to what passes whole")
    mss = tcp_transfer(s.b, s.a, "fd88::1", 10_000_000)
    expect(1200 <= mss < 1428, f"the MSS is {mss}: not clamped to what passes whole")


@case
def tcp_is_not_fragmented(s):
    before = s.on_a.status()["totals"]
    tcp_transfer(s.a, s.b, "10.88.0.2", 1_000_000)
    after = s.on_a.status()["totals"]
    packets = after["tx_sent"] - before["tx_sent"]
    sources = after["tx_source_packets"] - before["tx_source_packets"]
    expect(packets > 700 and sources == packets, f"{packets} packets became {sources}")


@case
def status_is_a_table_of_80_columns(s):
    done = s.on_a.ask("status")
    lines = done.stdout.splitlines()
    expect(max(map(len, lines)) <= 80, f"{max(lines, key=len)!r} is wider than 80")
    expect(any(line.startswith("wan3") and " up " in line for line in lines), done.stdout)


@case
def counters_conserve(s):
    for daemon in (s.on_a, s.on_b):
        conserves(daemon)


@case
def memory_stays_small(s):
    if lab_module.is_sanitized(s.lab.build):
        raise Skip("a sanitized program's memory says nothing")
    for daemon in (s.on_a, s.on_b):
        rss = daemon.rss_bytes()
        expect(rss <= 20_000_000, f"{rss} bytes resident on {daemon.host.name}")


@case
def goodbye_reaches_the_peer_at_once(s):
    code = s.on_a.stop()
    started = time.monotonic()
    expect(code == 0, f"exit code {code}")
    lab_module.wait_until(lambda: s.on_b.peer()["state"] != "up", 1, "b notices the goodbye")
    expect(time.monotonic() - started < 1, "b took longer than a second")
    expect(s.a.run(["ip", "link", "show", "dev", "hw0"], check=False).returncode != 0,
           "hw0 is still there")
    expect(s.on_a.ask("status", "hw0", check=False).returncode == 4, "someone still answers")


@case
def session_begins_anew_after_a_goodbye(s):
    s.on_a.start()
    s.on_a.wait_up(paths=3)
    expect(s.a.ping("10.88.0.2", count=20, interval=0.01).lost == 0, "pings are lost")
    conserves(s.on_b)
    expect([d.stop() for d in (s.on_a, s.on_b)] == [0, 0], "exit codes")


main(setup)
