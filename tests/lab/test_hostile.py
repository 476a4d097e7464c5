#!/usr/bin/env python3
"""Floods, rubbish and curious eyes on real daemons.

Two links carry the tunnel; on a third an attacker sits next to b and sends as fast as this machine
lets him. What is judged is that the session lives, that everything is counted, and that memory stays.
How much the tunnel still carries is printed: on one machine the attacker takes as much of it as the
daemon does, so that is no promise.
"""

import base64
import hashlib
import json
import os
import re
import socket
import struct
import subprocess
import time

from checks import conserves, traffic
from tap import case, expect, main

import lab as lab_module
from daemon import PORT, Daemon, configs

RATE = 2000       # packets a second in the tunnel, 172 bytes each
SECONDS = 4
RSS_GROWTH_MAX_BYTES = 10 << 20


class Shared:
    pass


def keys(program):
    """A fresh key pair as `hawser genkey` and `hawser pubkey` make it: (private, public)."""
    private = subprocess.run([program, "genkey"], capture_output=True, text=True, check=True).stdout
    public = subprocess.run([program, "pubkey"], input=private, capture_output=True, text=True,
                            check=True).stdout
    return private.strip(), public.strip()


def setup(lab):
    s = Shared()
    s.lab = lab
    s.a, s.b, s.c = lab.host("a"), lab.host("b"), lab.host("c")
    s.links = [lab.link(f"wan{i}", s.a, s.b, "rate 100M delay 5ms") for i in (1, 2)]
    lab.veth("wan3", s.c, s.b, 3)
    program = os.path.join(lab.build, "src", "cli", "hawser")
    s.private, s.public = {}, {}
    for side in "ab":
        s.private[side], s.public[side] = keys(program)
        with open(os.open(os.path.join(lab.dir, f"{side}.key"), os.O_WRONLY | os.O_CREAT, 0o600),
                  "w") as file:
            file.write(s.private[side] + "\n")
    config_a, config_b = configs(lab, ["wan1", "wan2", "wan3"], "unused",
                                 options={"log-level": "debug"})
    config_a["links"].pop()
    for config, side, other in ((config_a, "a", "b"), (config_b, "b", "a")):
        config["identity"] = {"private-key-file": os.path.join(lab.dir, f"{side}.key")}
        config["peers"] = [{"name": other, "public-key": s.public[other]}]
    s.on_b = Daemon(s.b, config_b).start()
    s.on_a = Daemon(s.a, config_a).start()
    s.on_a.wait_up(paths=2)
    s.on_b.wait_up(paths=2)
    return s


SNIFFER = """
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
s.bind(("wan1", 0)); s.settimeout(5)
while True:
    packet, where = s.recvfrom(2048)
    udp = packet[(packet[0] & 15) * 4:]
    if packet[9] == 17 and udp[2:4] == (8420).to_bytes(2, "big") and udp[8] >> 4 == 4:
        print(int.from_bytes(udp[9:12], "big")); break
"""


def receiver_index(s):
    """The index under which b receives now, as anyone on the way can read it."""
    sniffer = s.b.spawn(["python3", "-c", SNIFFER], stdout=subprocess.PIPE)
    time.sleep(0.3)
    s.a.ping("10.88.0.2", count=3, interval=0.1)
    return int(sniffer.communicate(timeout=10)[0])


def tunnel(s):
    """Runs numbered packets through the tunnel; returns the share that arrived."""
    sent, received = traffic(s.a, s.b, "10.88.0.2", RATE, SECONDS)
    expect(received["duplicates"] == 0 and received["changed"] == 0 and received["foreign"] == 0,
           f"{received}")
    return received["unique"] / sent["sent"]


def rubbish():
    return os.urandom(200)


def forged_data(index):
    """A packet of class 1 to that index (docs/wire.md, "Data"), the rest random."""
    return b"\x41" + index.to_bytes(3, "big") + os.urandom(196)


def false_initiation(public):
    """Random, but with the mac1 that everyone can make who knows the public key (docs/wire.md)."""
    message = b"\x10" + os.urandom(111)
    key = hashlib.blake2s(b"mac1----" + public).digest()
    return message + hashlib.blake2s(message, key=key, digest_size=16).digest() + os.urandom(16)


def flooded(s, name, datagrams):
    """The tunnel's share while the attacker sends; checks what must hold whatever the speed."""
    program = os.path.join(s.lab.build, "lab", "hw-flood")
    before, rss = s.on_b.status(), s.on_b.rss_bytes()
    calm = tunnel(s)
    with open(os.path.join(s.lab.dir, name), "wb") as file:
        file.write(b"".join(datagrams))
    with open(file.name) as file:
        attacker = s.c.spawn([program, "10.1.3.2", PORT, SECONDS + 2, len(datagrams[0])],
                             stdin=file, stdout=subprocess.PIPE)
    time.sleep(0.5)
    share = tunnel(s)
    result = json.loads(attacker.communicate(timeout=20)[0])
    time.sleep(0.5)
    after = s.on_b.status()
    print(f"# {name}: {result['per_second']} a second sent, "
          f"{after['totals']['rx_datagrams'] - before['totals']['rx_datagrams']} read; "
          f"{100 * calm:.1f} % of the tunnel's packets arrive without, {100 * share:.1f} % with it",
          flush=True)
    conserves(s.on_b)
    expect(result["sent"] > 10000, f"no flood: {result}")
    s.on_a.wait_up(paths=2)  # where the attacker took the processor, paths may have been in doubt
    s.on_b.wait_up(paths=2)
    expect(len(s.on_b.peer()["paths"]) == 2, f"{s.on_b.peer()['paths']}")
    if not lab_module.is_sanitized(s.lab.build):
        grown = s.on_b.rss_bytes() - rss
        expect(grown <= RSS_GROWTH_MAX_BYTES, f"{grown} bytes more than before the flood")
    # And afterwards all is as it was.
    expect(s.a.ping("10.88.0.2", count=20, interval=0.02).received == 20, "pings are lost after it")
    return {name: after["drops"][name] - before["drops"][name] for name in after["drops"]}


@case
def flood_of_rubbish(s):
    dropped = flooded(s, "rubbish", [rubbish() for _ in range(2000)])
    expect(dropped["rx_malformed"] > 1000, f"{dropped}")


@case
def flood_of_forged_data(s):
    index = receiver_index(s)
    dropped = flooded(s, "forged data", [forged_data(index) for _ in range(2000)])
    expect(dropped["rx_auth"] > 1000, f"{dropped}")


@case
def flood_of_initiations(s):
    public = base64.b64decode(s.public["b"])
    dropped = flooded(s, "initiations", [false_initiation(public) for _ in range(2000)])
    worked = dropped["rx_handshake_auth"]
    expect(dropped["rx_handshake_cookie"] > 1000, f"{dropped}")
    # At most 100 a second are worked on (and as many more in the first moment).
    expect(0 < worked <= 100 * (SECONDS + 6), f"{worked} initiations were worked on: {dropped}")


@case
def log_says_little_of_floods(s):
    """One line a second for each reason at the most, and what is no text is escaped."""
    lines = s.on_b.log(10 ** 6).splitlines()
    expect(len(lines) < 300, f"{len(lines)} lines")
    for line in lines:
        expect(re.fullmatch(r"[\x20-\x7e]*", line), f"{line!r}")


@case
def secrets_are_told_to_nobody(s):
    """Not in logs, status, arguments or environment: not as text, not as hex, not as bytes."""
    for side, daemon in (("a", s.on_a), ("b", s.on_b)):
        raw = base64.b64decode(s.private[side])
        places = {
            "the log": open(daemon.log_path, "rb").read(),
            "the status": daemon.ask("status", "--json", "hw0").stdout.encode(),
            "the status for people": daemon.ask("status", "hw0").stdout.encode(),
        }
        for name in ("cmdline", "environ"):
            with open(f"/proc/{daemon.process.pid}/{name}", "rb") as file:
                places[name] = file.read()
        for folder, _, files in os.walk(daemon.dir):
            for name in files:
                if not name.endswith(".sock"):
                    with open(os.path.join(folder, name), "rb") as file:
                        places[name] = file.read()
        for where, content in places.items():
            for form in (s.private[side].encode(), raw, raw.hex().encode(), raw.hex().upper().encode()):
                expect(form not in content, f"the private key of {side} is in {where}")
        # That the search finds what is there.
        expect(s.public["b" if side == "a" else "a"].encode() in places["hawser.yaml"], "no key at all")
        expect(len(places["the log"]) > 0 and len(places["environ"]) > 0, "nothing was looked at")


@case
def rubbish_on_the_control_socket(s):
    """17 clients, long lines, random bytes: the daemon answers the next honest one."""
    path = os.path.join(s.on_b.dir, "run", "hw0.sock")
    clients = []
    for number in range(40):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # A full backlog makes a client wait, for as long as this; a timeout of Python's would not wait.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 5, 0))
        client.connect(path)
        client.settimeout(5)
        try:
            client.sendall(os.urandom(6000) if number % 2 else b"{" * 3000)
        except OSError:
            pass  # the daemon has had enough of it already
        clients.append(client)
    time.sleep(0.5)
    for client in clients:
        client.close()
    lab_module.wait_until(lambda: s.on_b.ask("status", check=False).returncode == 0, 10,
                          "the daemon answers again")
    conserves(s.on_b)


main(setup)
