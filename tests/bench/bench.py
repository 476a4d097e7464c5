#!/usr/bin/env python3
"""What Hawser costs and gives, beside the bare link, OpenVPN, wireguard-go and the recipe of 2011.

    host a ======== veth ======== host b      speed: every tunnel over the same bare veth pair,
      hw0, ovpn1, ...   hw0, ovpn1, ...       one at a time, interleaved, several repetitions

    host a ===== three lossy links ===== host b      loss: Hawser, the recipe and a bare link, each
                                                     on hosts and links of its own, at the same time

Prints tables; writes everything, each repetition included, as JSON to BUILD/bench.json.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(os.path.dirname(HERE)), "lab")]

import lab as lab_module  # noqa: E402
from lab import LabError, Pinger  # noqa: E402
from tunnels import Bare, Forward, Hawser, OpenVpn, Recipe, WireGuardGo  # noqa: E402

# 5 % on the way out of one host and 5 % on the way into the other, as in 2011.
LOSS = 1 - 0.95 ** 2
LOSSY = f"rate 100M delay 10ms queue 250k loss {LOSS:.4f}"
SMALL_BYTES = 64


def say(text=""):
    print(text, flush=True)


def stolen():
    """Two counters: all time of the processors, and what the hypervisor gave to others."""
    with open("/proc/stat") as file:
        fields = [int(x) for x in file.readline().split()[1:9]]
    return sum(fields), fields[7]


def machine():
    with open("/proc/cpuinfo") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    versions = {}
    for package in ("openvpn", "wireguard-go", "iperf3", "iptables", "libssl3"):
        done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], text=True,
                              capture_output=True, check=False)
        versions[package] = done.stdout or "not installed"
    return {"cpu": f"{len(models)} x {models[0] if models else platform.machine()}",
            "kernel": platform.release(), "command": " ".join(sys.argv), "versions": versions}


def tcp(tunnel, seconds):
    """One TCP flow from a to b: (Mbit/s at the receiver, CPU seconds of both ends per 10^9 bytes)."""
    server = tunnel.b.spawn(["iperf3", "-s", "-1", "-p", 5201], stderr=subprocess.DEVNULL)
    lab_module.wait_until(lambda: tunnel.b.run(["ss", "-Hltn", "sport = :5201"]).stdout, 5, "iperf3")
    before = tunnel.cpu_seconds()
    done = tunnel.a.run(["iperf3", "-J", "-c", tunnel.address, "-p", 5201, "-t", seconds],
                        timeout=seconds + 20, check=False)
    used = tunnel.cpu_seconds() - before
    server.terminate()
    server.wait(5)
    result = json.loads(done.stdout)
    if "error" in result:
        raise LabError(f"iperf3 through {tunnel.name}: {result['error']}")
    received = result["end"]["sum_received"]
    return received["bits_per_second"] / 1e6, used / (received["bytes"] / 1e9)


def small_packets(tunnel, seconds):
    """As many small datagrams as go in: how many come out a second."""
    program = os.path.join(tunnel.lab.build, "lab", "hw-traffic")
    receiver = tunnel.b.spawn([program, "recv", 9000, "--idle", 1], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    receiver.stderr.readline()
    tunnel.a.run([program, "send", tunnel.address, 9000, "--rate", 0, "--size", SMALL_BYTES,
                  "--seconds", seconds], timeout=seconds + 10)
    result = json.loads(receiver.communicate(timeout=20)[0])
    return result["unique"] / seconds


def latency(tunnel, count, interval):
    """
    Median round trip of a tunnel that carries nothing else, in microseconds. With pings far apart the
    processors fall asleep in between, and waking them is most of what is measured.
    """
    return tunnel.a.ping(tunnel.address, count=count, interval=interval).quantile(0.5) * 1000


class Figures:
    """The repetitions of one tunnel."""

    def __init__(self, tunnel):
        self.about, self.name = tunnel.about, tunnel.name
        self.values = {"tcp_mbps": [], "cpu_s_per_gb": [], "small_pps": [], "rtt_us": [],
                       "rtt_awake_us": []}
        self.rss_mb = 0.0

    def median(self, key):
        return statistics.median(self.values[key])

    def spread(self, key, digits=0):
        values = self.values[key]
        return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}-{max(values):.{digits}f})"


def speed(lab, options):
    a, b = lab.host("a"), lab.host("b")
    lab.veth("veth0", a, b, 1)
    endpoint = "10.1.1.2"
    tunnels = [(Bare(lab, a, b, endpoint), ()),
               (Forward(lab, a, b, endpoint), ()),
               (Hawser(lab, a, b, ["veth0"], "chacha20-poly1305"), ("10.88.0", "hw0", 8420)),
               (OpenVpn(lab, a, b, endpoint, "CHACHA20-POLY1305", 1), ()),
               (Hawser(lab, a, b, ["veth0"], "aes-256-gcm"), ("10.89.0", "hw1", 8421)),
               (OpenVpn(lab, a, b, endpoint, "AES-256-GCM", 2), ()),
               (WireGuardGo(lab, a, b, endpoint), ())]
    running = []
    for tunnel, arguments in tunnels:
        if options.only and not any(word in tunnel.name for word in options.only) \
                and tunnel.name != "bare":
            continue
        try:
            tunnel.start(*arguments)
            running.append((tunnel, Figures(tunnel)))
        except LabError as error:
            say(f"{tunnel.name} is left out: {error}")
    for repetition in range(options.repetitions):
        for tunnel, figures in running:
            say(f"repetition {repetition + 1} of {options.repetitions}: {tunnel.name}")
            figures.values["rtt_us"].append(latency(tunnel, options.pings, 0.005))
            figures.values["rtt_awake_us"].append(latency(tunnel, 2 * options.pings, 0.001))
            mbps, cpu = tcp(tunnel, options.seconds)
            figures.values["tcp_mbps"].append(mbps)
            figures.values["cpu_s_per_gb"].append(cpu)
            figures.values["small_pps"].append(small_packets(tunnel, options.seconds / 2))
            figures.rss_mb = tunnel.rss_bytes() / 1e6
    return [figures for _, figures in running]


def print_speed(results, options):
    bare = next(f for f in results if f.name == "bare")
    say()
    say(f"Speed over one veth pair: median (least-most) of {options.repetitions}")
    say(f"{'':16} {'TCP Mbit/s':>20} {SMALL_BYTES:>6}-byte packets/s {'CPU s/GB':>9} {'RSS MB':>7}")
    for f in results:
        is_bare = f is bare
        say(f"{f.name:16} {f.spread('tcp_mbps'):>20} {f.spread('small_pps'):>23} "
            f"{'-' if is_bare else format(f.median('cpu_s_per_gb'), '.2f'):>9} "
            f"{'-' if is_bare else format(f.rss_mb, '.1f'):>7}")
    say()
    say("Round trip in us, and what is added to the bare link's; pings 5 ms and 1 ms apart")
    for f in results:
        say(f"{f.name:16} {f.spread('rtt_us'):>16} {f.median('rtt_us') - bare.median('rtt_us'):>+6.0f}"
            f"   {f.spread('rtt_awake_us'):>16} "
            f"{f.median('rtt_awake_us') - bare.median('rtt_awake_us'):>+6.0f}")
    say()
    by_name = {f.name: f for f in results}
    for cipher in ("ChaCha20", "AES"):
        ours, theirs = by_name.get(f"hawser {cipher}"), by_name.get(f"openvpn {cipher}")
        if ours and theirs:
            # Of the pairs that ran one after the other, so that both met the same machine.
            ratios = [x / y for x, y in zip(ours.values["tcp_mbps"], theirs.values["tcp_mbps"])]
            say(f"Hawser / OpenVPN, {cipher}, TCP: {statistics.median(ratios):.2f} "
                f"({min(ratios):.2f}-{max(ratios):.2f})")
    for f in results:
        say(f"  {f.name}: {f.about}")


def lossy(lab, options):
    """The experiment of 2011 with both: pings at 10 ms over links that lose 9.75 % each way."""
    runs = []
    number = 0
    for name in ("bare", "recipe", "hawser"):
        a, b = lab.host(f"{name}-a"), lab.host(f"{name}-b")
        links = []
        for i in range(1 if name == "bare" else 3):
            number += 1
            links.append(lab.link(f"{name[0]}wan{i + 1}", a, b, LOSSY, number=i + 1))
        if name == "bare":
            tunnel = Bare(lab, a, b, "10.1.1.2")
        elif name == "recipe":
            tunnel = Recipe(lab, a, b, links)
        else:
            tunnel = Hawser(lab, a, b, links, "chacha20-poly1305")
        try:
            tunnel.start()
            runs.append((tunnel, links))
        except LabError as error:
            say(f"{name} is left out: {error}")
    time.sleep(2)
    before = [sum(link.bytes() for link in links) for _, links in runs]
    pingers = [Pinger(tunnel.a, tunnel.address, count=options.lossy_pings) for tunnel, _ in runs]
    say(f"{options.lossy_pings} pings at 10 ms, {options.lossy_pings / 100:.0f} s or a little more")
    results = []
    done = [pinger.wait(options.lossy_pings * 0.05 + 30) for pinger in pingers]
    for (tunnel, links), was, result in zip(runs, before, done):
        used = sum(link.bytes() for link in links) - was
        results.append({"name": tunnel.name, "sent": result.sent, "lost": result.lost,
                        "loss": result.loss, "duplicates": result.duplicates,
                        "rtt_p50_ms": result.quantile(0.5), "rtt_p99_ms": result.quantile(0.99),
                        "rtt_max_ms": result.quantile(1), "bytes": used, "about": tunnel.about})
    return results


def print_lossy(results):
    bare = next(r for r in results if r["name"] == "bare")
    say()
    say(f"Three links of 100 Mbit/s and 10 ms that lose {LOSS * 100:.2f} % each way (one for bare)")
    say(f"{'':16} {'pings':>6} {'lost':>5} {'loss %':>8} {'theory %':>9} {'twice':>6} "
        f"{'p50 ms':>7} {'p99 ms':>7} {'bytes':>10} {'x bare':>7}")
    for r in results:
        copies = 1 if r is bare else 3
        theory = 100 * (1 - (1 - LOSS ** copies) ** 2)
        say(f"{r['name']:16} {r['sent']:>6} {r['lost']:>5} {100 * r['loss']:>8.3f} {theory:>9.3f} "
            f"{r['duplicates']:>6} {r['rtt_p50_ms']:>7.1f} {r['rtt_p99_ms']:>7.1f} "
            f"{r['bytes']:>10} {r['bytes'] / bare['bytes']:>7.2f}")


def main():
    parser = argparse.ArgumentParser(description="see the head of this file")
    parser.add_argument("--build", default="build")
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="of each TCP flow")
    parser.add_argument("--pings", type=int, default=300, help="for each latency figure")
    parser.add_argument("--lossy-pings", type=int, default=6000)
    parser.add_argument("--only", action="append", help="tunnels whose names hold this")
    parser.add_argument("--skip", action="append", default=[], choices=["speed", "lossy"])
    options = parser.parse_args()
    reason = lab_module.enter()
    if reason:
        sys.exit(f"bench: {reason}")
    for tool in ("iperf3", "openvpn", "wireguard-go", "iptables"):
        if not shutil.which(tool):
            say(f"{tool} is not installed: what needs it is left out")
    report = {"machine": machine()}
    for key in ("cpu", "kernel", "command"):
        say(f"{key:8} {report['machine'][key]}")
    say("versions " + ", ".join(f"{k} {v}" for k, v in report["machine"]["versions"].items()))
    total, steal = stolen()
    if "speed" not in options.skip:
        with lab_module.Lab(options.build) as lab:
            results = speed(lab, options)
        report["speed"] = [vars(f) for f in results]
        print_speed(results, options)
    if "lossy" not in options.skip:
        with lab_module.Lab(options.build) as lab:
            report["lossy"] = lossy(lab, options)
        print_lossy(report["lossy"])
    total_after, steal_after = stolen()
    report["stolen_share"] = (steal_after - steal) / max(1, total_after - total)
    say()
    say(f"The hypervisor kept {100 * report['stolen_share']:.1f} % of the processors' time for others.")
    path = os.path.join(options.build, "bench.json")
    with open(path, "w") as file:
        json.dump(report, file, indent=2)
        file.write("\n")
    say(f"All figures: {path}")


if __name__ == "__main__":
    main()
