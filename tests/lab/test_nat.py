#!/usr/bin/env python3
"""A client behind a NAT that forgets: its address and port as the hub sees them change.

    a 10.1.9.1 ---- veth ---- nat ---- wan1, 10 ms ---- b 10.1.1.2
                              10.1.1.1, masquerade
"""

import time

from checks import conserves
from tap import Skip, case, expect, main

import lab as lab_module
from daemon import Daemon, configs, secret_file
from lab import LabError, Pinger


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.lab = lab
    s.a, s.nat, s.b = lab.host("a"), lab.host("nat"), lab.host("b")
    s.link = lab.link("wan1", s.nat, s.b, "rate 100M delay 10ms")
    lab.veth("lan", s.a, s.nat, 9)
    s.a.ip("route add default via 10.1.9.2")
    s.nat.sysctl("ipv4/ip_forward", 1)
    try:
        masquerade(s, 20000)
    except LabError as error:
        s.missing = str(error)
        return s
    s.missing = None
    config_a, config_b = configs(lab, ["lan"], secret_file(lab))
    config_a["links"][0]["endpoint"] = ["10.1.1.2:8420"]
    config_b["links"][0].update({"name": "wan1", "interface": "wan1"})
    s.on_b = Daemon(s.b, config_b).start()
    s.on_a = Daemon(s.a, config_a).start()
    s.on_a.wait_up(paths=1)
    s.on_b.wait_up(paths=1)
    return s


def masquerade(s, port):
    """Translates to ports from `port` on, and forgets all translations made so far."""
    s.nat.run(["nft", "-f", "-"], input=f"""
        table ip lab
        delete table ip lab
        table ip lab {{
            chain out {{
                type nat hook postrouting priority 100;
                oifname "wan1" ip protocol udp masquerade to :{port}-{port + 99}
            }}
        }}
    """)
    # The kernel forgets a masquerading interface's translations when it goes down.
    s.nat.ip("link set wan1 down")
    s.nat.ip("link set wan1 up")


def seen_ports(s):
    return [int(p["remote"].rsplit(":", 1)[1]) for p in s.on_b.peer()["paths"] if p["state"] == "up"]


def need(s):
    if s.missing:
        raise Skip(f"no masquerading: {s.missing}")


@case
def works_through_a_nat(s):
    need(s)
    result = s.a.ping("10.88.0.2", count=50, interval=0.02)
    expect(result.lost == 0, f"{result.lost} of 50 lost")
    ports = seen_ports(s)
    expect(ports and all(20000 <= port < 20100 for port in ports), f"b sees {ports}")


@case
def new_port_is_followed_at_once(s):
    need(s)
    pinger = Pinger(s.a, "10.88.0.2", count=500)
    time.sleep(1)
    masquerade(s, 30000)
    result = pinger.wait(30)
    # The interface's own break and the challenge's round trip are in it.
    expect(result.lost <= 50, f"{result.lost} pings of 10 ms lost: {result.lost_numbers()}")
    lab_module.wait_until(lambda: any(30000 <= port < 30100 for port in seen_ports(s)), 5,
                          "b sees the new port")
    print(f"# {result.lost} pings of 10 ms lost while the NAT was set up anew")


@case
def hub_that_speaks_first_finds_the_client(s):
    need(s)
    # Only the client's keepalives keep the NAT open: after a quiet spell the hub can still begin.
    time.sleep(5)
    result = s.b.ping("10.88.0.1", count=20, interval=0.02)
    expect(result.lost == 0, f"{result.lost} of 20 lost")


@case
def counters_conserve(s):
    need(s)
    for daemon in (s.on_a, s.on_b):
        conserves(daemon)
    expect([d.stop() for d in (s.on_a, s.on_b)] == [0, 0], "exit codes")


main(setup)
