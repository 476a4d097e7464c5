#!/usr/bin/env python3
"""`hawser probe` over links whose truth is known, blocked ones, a NAT, and a shared bottleneck.

    a ---- wan1: 2 Mbit/s, 1 s of queue, 20 ms -------+
      ---- wan2: 10 Mbit/s, 3 % loss, 40 ms ----------+
      ---- wan3: b drops UDP there -------------------+---- b, the hub
      ---- wan4: nothing listens on its port ---------+
    c 10.1.9.1 ---- lan ---- n, masquerade ---- wan5 -+
    d ---- near1, near2 ---- r ---- wan6: 4 Mbit/s ---+

Verdicts and rough figures are judged here; how exact they are, tests/unit/test_survey.c judges.
"""

import json
import os
import pty
import re
import signal
import subprocess
import time

from tap import Skip, case, expect, main

from daemon import Daemon, configs, secret_file

PROBE_TIMEOUT = 120


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.lab = lab
    s.a, s.b, s.c, s.n, s.d, s.r = (lab.host(name) for name in "abcndr")
    lab.link("wan1", s.a, s.b, "rate 2M queue 250k delay 20ms", number=1)
    lab.link("wan2", s.a, s.b, "rate 10M queue 60k delay 40ms loss 3%", number=2)
    lab.link("wan3", s.a, s.b, "rate 20M delay 5ms", number=3)
    lab.link("wan4", s.a, s.b, "rate 20M delay 5ms", number=4)
    lab.link("wan5", s.n, s.b, "rate 20M delay 10ms", number=5)
    lab.link("wan6", s.r, s.b, "rate 4M queue 250k delay 10ms", number=6)
    lab.veth("lan", s.c, s.n, 9)
    s.c.ip("route add default via 10.1.9.2")
    s.b.ip("addr add 10.1.5.3/24 dev wan5")
    for number, name in ((7, "near1"), (8, "near2")):
        lab.veth(name, s.d, s.r, number)
        s.d.ip(f"route add default via 10.1.{number}.2 dev {name} metric {number}")
        s.b.ip(f"route add 10.1.{number}.0/24 via 10.1.6.1")
    for host in (s.n, s.r):
        host.sysctl("ipv4/ip_forward", 1)
    s.secret = secret_file(lab)
    s.state = os.path.join(lab.dir, "state")
    os.makedirs(s.state, mode=0o700)
    _, hub = configs(lab, [f"wan{i}" for i in range(1, 7)], s.secret)
    s.hub = Daemon(s.b, hub).start()
    return s


def client(s, host, links):
    """A configuration of these links, {name: endpoints or a mapping}, and where its probe runs."""
    config, _ = configs(s.lab, [], s.secret)
    config["links"] = []
    for name, value in links.items():
        rule = {"endpoint": value} if isinstance(value, list) else value
        config["links"].append({"name": name, "interface": name, **rule})
    on = Daemon(host, config)
    # One identity has one floor of timestamps, wherever it calls from.
    own = on.environment
    on.environment = lambda: {**own(), "HAWSER_STATE_DIR": s.state}
    return on


def probe(on, *options):
    """Runs it to its end; returns (exit code, what --json says, standard error)."""
    done = on.host.run([on.program, "probe", "--json", *options, on.write()], check=False,
                       timeout=PROBE_TIMEOUT, env=on.environment())
    expect(done.stdout.startswith("{"), f"no JSON: exit {done.returncode}: {done.stderr}")
    return done.returncode, json.loads(done.stdout), done.stderr


def link(result, name):
    return next(entry for entry in result["links"] if entry["name"] == name)


def advice(result):
    return "\n".join(line["text"] for line in result["advice"])


def near(value, truth, share, what):
    expect(value is not None and abs(value / truth - 1) <= share,
           f"{what}: {value}, in truth {truth}")


@case
def figures_are_about_right(s):
    on = client(s, s.a, {"wan1": ["10.1.1.2:8420"], "wan2": ["10.1.2.2:8420"]})
    code, result, _ = probe(on)
    print(f"# {result['seconds']:.1f} s, " + ", ".join(
        f"{e['name']}: {e['spent_bytes'] / 1e6:.1f} MB, {e['rtt_median_ms']:.1f} ms, " + " and ".join(
            f"{e[w]['capacity_bps'] / 1e6:.2f} Mbit/s {e[w]['queue_ms']:.0f} ms {100 * e[w]['loss']:.1f} %"
            for w in ("up", "down")) for e in result["links"]))
    expect(code == 0 and result["works"] and not result["interrupted"], f"exit {code}: {result}")
    for name, rate, queue, loss, rtt in (("wan1", 2e6, 1000, 0, 40), ("wan2", 10e6, 48, 0.03, 80)):
        entry = link(result, name)
        expect(entry["works"] and entry["nat"]["kind"] == "none", f"{entry}")
        expect(rtt <= entry["rtt_min_ms"] <= rtt + 15, f"{entry}")
        for way in ("up", "down"):
            near(entry[way]["capacity_bps"], rate, 0.25, f"{name} {way}: capacity")
            near(entry[way]["queue_ms"], queue, 0.5, f"{name} {way}: queue")
            expect(abs(entry[way]["loss"] - loss) < 0.1, f"{name} {way}: loss {entry[way]['loss']}")
    expect(re.search(r"wan1: .*s of queue under load \(up\)", advice(result)), advice(result))
    expect(all(link(result, n)[w]["packet_bytes"] == 1500 for n in ("wan1", "wan2")
               for w in ("up", "down")), f"packets: {result}")
    expect(result["pairs"][0]["share_bottleneck"] in ("no", "probably not"), f"{result['pairs']}")
    expect(result["seconds"] < 40, f"{result['seconds']} s")


@case
def links_without_answer_are_told_apart(s):
    rules = """
        table inet lab {
            chain in {
                type filter hook input priority 0;
                iifname "wan3" udp dport 8420 drop
            }
        }
    """
    done = s.b.run(["nft", "-f", "-"], input=rules, check=False)
    on = client(s, s.a, {"wan1": ["10.1.1.2:8420"], "wan3": ["10.1.3.2:8420"],
                         "wan4": ["10.1.4.2:9999"], "gone": ["10.1.4.2:8420"]})
    code, result, _ = probe(on, "--quick")
    expect(code == 1 and not result["works"], f"exit {code}: {result}")
    expect(link(result, "wan1")["works"], f"{result}")
    expect(link(result, "wan4")["state"] == "refused", f"{link(result, 'wan4')}")
    expect("nothing listens there" in advice(result), advice(result))
    expect(link(result, "gone")["state"] == "no interface", f"{link(result, 'gone')}")
    expect(result["seconds"] < 15, f"{result['seconds']} s")
    if done.returncode != 0:
        raise Skip(f"the rest: no packet filter: {done.stderr.strip()}")
    expect(link(result, "wan3")["state"] == "silent", f"{link(result, 'wan3')}")
    expect("wan3: peer not reachable on UDP 8420 over this link" in advice(result), advice(result))
    expect("is the port open in the firewall?" in advice(result), advice(result))


@case
def nobody_there_is_no_ones_link(s):
    on = client(s, s.a, {"wan3": ["10.1.3.9:8420"], "wan4": ["10.1.4.9:8420"]})
    code, result, _ = probe(on)
    expect(code == 1 and not result["session"], f"exit {code}: {result}")
    expect(all(not entry["works"] for entry in result["links"]), f"{result}")
    expect(result["seconds"] < 15, f"{result['seconds']} s")


@case
def nat_is_seen(s):
    rules = """
        table ip lab {
            chain out {
                type nat hook postrouting priority 100;
                oifname "wan5" ip protocol udp masquerade to :20000-20099 random
            }
        }
    """
    done = s.n.run(["nft", "-f", "-"], input=rules, check=False)
    if done.returncode != 0:
        raise Skip(f"no masquerading: {done.stderr.strip()}")
    on = client(s, s.c, {"lan": ["10.1.5.2:8420", "10.1.5.3:8420"]})
    code, result, _ = probe(on, "--quick")
    entry = link(result, "lan")
    expect(code == 0, f"exit {code}: {result}")
    expect(entry["nat"]["kind"] == "port changed", f"{entry}")
    expect(all(path["answers"] and re.fullmatch(r"10\.1\.5\.1:200\d\d", path["seen_as"])
               for path in entry["paths"]), f"{entry}")
    seen = {path["seen_as"] for path in entry["paths"]}
    expect(entry["nat"]["mapping"] ==
           ("endpoint-independent" if len(seen) == 1 else "endpoint-dependent"), f"{entry}")
    print(f"# seen as {sorted(seen)}: {entry['nat']['mapping']}")


@case
def common_bottleneck_is_found(s):
    on = client(s, s.d, {"near1": ["10.1.6.2:8420"], "near2": ["10.1.6.2:8420"]})
    code, result, _ = probe(on, "--limit", "12MB")
    print("# " + "; ".join(f"{e['name']} {e['up']['capacity_bps']} {e['down']['capacity_bps']}"
                           for e in result["links"]), result["pairs"])
    expect(code == 0, f"exit {code}: {result}")
    expect(result["pairs"][0]["share_bottleneck"] in ("yes", "probably"), f"{result['pairs']}")
    expect("near1 and near2" in advice(result), advice(result))
    near(link(result, "near1")["up"]["capacity_bps"], 4e6, 0.25, "near1 up")


@case
def what_costs_is_spared_and_said_so(s):
    on = client(s, s.a, {"wan2": {"endpoint": ["10.1.2.2:8420"], "price": 5}})
    before = s.lab.links["wan2"].bytes()
    code, result, errors = probe(on)
    spent = s.lab.links["wan2"].bytes() - before
    expect(code == 0, f"exit {code}: {result}")
    expect("--yes allows" in errors, errors)
    expect(100000 < spent <= 1100000, f"{spent} bytes went over a priced link")
    expect(abs(spent - link(result, "wan2")["spent_bytes"]) < 100000,
           f"{spent} bytes, and it thinks {link(result, 'wan2')['spent_bytes']}")
    before = s.lab.links["wan2"].bytes()
    probe(on, "--yes", "--limit", "4MB")
    spent = s.lab.links["wan2"].bytes() - before
    expect(1100000 < spent <= 4100000, f"{spent} bytes, of 4 MB agreed to")


def on_terminal(s, on, answer):
    """Probes with a terminal and gives that answer; returns what it printed there."""
    keeper, terminal = pty.openpty()
    process = s.lab.spawn(on.host.command([on.program, "probe", on.write()]), stdin=terminal,
                          stderr=terminal, stdout=subprocess.PIPE, env=on.environment())
    os.close(terminal)
    text = ""
    while "[y/N]" not in text:
        text += os.read(keeper, 4096).decode()
    os.write(keeper, answer)
    out, _ = process.communicate(timeout=PROBE_TIMEOUT)
    os.set_blocking(keeper, False)
    try:
        while chunk := os.read(keeper, 65536):
            text += chunk.decode()
    except OSError:
        pass
    os.close(keeper)
    return process.returncode, text, out


@case
def asks_before_it_spends(s):
    on = client(s, s.a, {"wan2": {"endpoint": ["10.1.2.2:8420"], "price": 5}})
    before = s.lab.links["wan2"].bytes()
    code, text, out = on_terminal(s, on, b"n\n")
    expect(code == 0 and "wan2: UDP passes" in out, f"exit {code}: {text} {out}")
    expect("wan2 costs something (price 5)" in text, text)
    expect("1.00 MB" in text and "loading wan2, up" in text, text)
    expect(s.lab.links["wan2"].bytes() - before <= 1100000, "more than was agreed to")


@case
def stops_at_once_and_keeps_what_it_knows(s):
    on = client(s, s.a, {"wan1": ["10.1.1.2:8420"]})
    process = on.host.spawn([on.program, "probe", on.write()], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=on.environment())
    seen = ""
    while "loading wan1, up" not in seen:
        line = process.stderr.readline()
        expect(line, f"it ended: {seen}")
        seen += line
    time.sleep(0.3)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    expect(time.monotonic() - began < 3, "slow to stop")
    expect(process.returncode == 1 and "UDP passes" in out and "Stopped after" in out,
           f"exit {process.returncode}: {out}")


@case
def daemon_starts_right_after_a_probe(s):
    on = client(s, s.a, {"wan1": ["10.1.1.2:8420"]})
    code, _, _ = probe(on, "--quick")
    expect(code == 0, f"exit {code}")
    on.start()
    began = time.monotonic()
    on.wait_up(paths=1)
    print(f"# up after {time.monotonic() - began:.1f} s")
    # A probe beside it would take its session away.
    done = on.host.run([on.program, "probe", on.write()], check=False, env=on.environment())
    expect(done.returncode == 1 and "a daemon runs for hw0" in done.stderr, done.stderr)
    expect(on.stop() == 0, "exit code of the daemon")


@case
def hub_is_whole(s):
    expect(s.hub.stop() == 0, "exit code of the hub")


main(setup)
