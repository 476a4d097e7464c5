#!/usr/bin/env python3
"""A changed configuration while the tunnel carries traffic: what changes, what is refused, and that
nothing is lost on the way. Two of three links are configured at first; mode redundant."""

import concurrent.futures
import json
import re
import signal
import time

from checks import conserves, traffic
from tap import case, expect, main

import lab as lab_module
from daemon import Daemon, configs, secret_file

RATE = 200       # packets a second, each way
SECONDS = 4
PAUSE = 1.5      # from the first packet to the change
CONTROL = 0.8    # packets for each ping that a path without traffic may see


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.lab = lab
    s.a, s.b = lab.host("a"), lab.host("b")
    s.links = {name: lab.link(name, s.a, s.b, f"rate 100M delay {delay}ms")
               for name, delay in (("dsl", 10), ("lte", 15), ("sat", 20))}
    secret = secret_file(lab)
    config_a, config_b = configs(lab, list(s.links.values()), secret)
    s.sat = config_a["links"].pop()
    s.on_b = Daemon(s.b, config_b).start()
    s.on_a = Daemon(s.a, config_a).start()
    s.on_a.wait_up(paths=2)
    s.on_b.wait_up(paths=2)
    s.began = time.monotonic()
    s.age = s.on_a.peer()["handshake_age_s"]
    return s


def reload(daemon):
    daemon.write()
    return daemon.ask("reload", check=False)


def under_traffic(s, action):
    """Runs the action while numbered packets go both ways; none may be lost, nor come twice."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        ways = [pool.submit(traffic, source, target, address, RATE, SECONDS)
                for source, target, address in ((s.a, s.b, "10.88.0.2"), (s.b, s.a, "10.88.0.1"))]
        time.sleep(PAUSE)
        result = action()
        for way in ways:
            sent, received = way.result()
            expect(sent["sent"] >= RATE * SECONDS * 0.9, f"{sent}")
            lost = sent["sent"] - received["unique"]
            expect((lost, received["duplicates"], received["changed"]) == (0, 0, 0),
                   f"{lost} of {sent['sent']} lost: {received}")
    return result


def session_goes_on(s):
    """The handshake is as old as the time since the session began: it was not made again. Renewals
    come every 120 s, so this holds for the first two minutes."""
    elapsed = time.monotonic() - s.began
    age = s.on_a.peer()["handshake_age_s"]
    expect(elapsed > 115 or abs(age - s.age - elapsed) < 3,
           f"the handshake is {age} s old, {elapsed + s.age} s after the session began")


def state(daemon, link):
    path = daemon.paths().get(link)
    return path and path["state"]


def is_up(daemon, link):
    return state(daemon, link) == "up"


def share(s, pings=60):
    """Packets per ping that each link carried, both ways added."""
    def carried():
        stats = {name: link.stats() for name, link in s.links.items()}
        return {name: x["ab"]["offered_packets"] + x["ba"]["offered_packets"]
                for name, x in stats.items()}
    before = carried()
    result = s.a.ping("10.88.0.2", count=pings, interval=0.01)
    after = carried()
    expect(result.lost == 0, f"{result.lost} pings lost")
    return {name: (after[name] - before[name]) / pings for name in after}


def link_of(config, name):
    return next(link for link in config["links"] if link["name"] == name)


def wait_log(daemon, pattern, timeout=5):
    lab_module.wait_until(lambda: re.search(pattern, daemon.log(200)), timeout,
                          f"{daemon.host.name} logs {pattern}\n{daemon.log()}")


@case
def an_unchanged_file_changes_nothing(s):
    done = reload(s.on_a)
    expect(done.returncode == 0 and "says nothing new" in done.stdout, f"{done}")


@case
def a_link_is_added(s):
    def add():
        s.on_a.config["links"].append(s.sat)
        done = reload(s.on_a)
        lab_module.wait_until(lambda: is_up(s.on_a, "sat"), 2, "the added link carries")
        return done
    done = under_traffic(s, add)
    expect(done.returncode == 0 and "links.sat: added (interface sat, price 1, use always)"
           in done.stdout, f"{done}")
    expect(share(s)["sat"] >= 2, "the added link carries no copies")
    session_goes_on(s)


@case
def a_link_is_removed(s):
    def remove():
        s.on_a.config["links"].pop()
        done = reload(s.on_a)
        lab_module.wait_until(lambda: state(s.on_a, "sat") is None, 1, "the path is gone")
        lab_module.wait_until(lambda: not is_up(s.on_b, "sat"), 1, "the peer knows")
        return done
    done = under_traffic(s, remove)
    expect(done.returncode == 0 and "links.sat: removed" in done.stdout, f"{done}")
    expect(share(s)["sat"] < 0.1, "the removed link still carries")
    session_goes_on(s)


@case
def the_mode_changes_and_back(s):
    def change():
        for mode in ("backup", "redundant"):
            for daemon in (s.on_a, s.on_b):
                daemon.config["policy"]["mode"] = mode
                done = reload(daemon)
                expect(done.returncode == 0 and f"becomes {mode}" in done.stdout, f"{done}")
            expect(s.on_a.status()["mode"] == mode, "status")
            time.sleep(0.5)
    under_traffic(s, change)
    session_goes_on(s)


@case
def sighup_does_the_same(s):
    s.on_a.config["policy"]["mode"] = "backup"
    s.on_b.config["policy"]["mode"] = "backup"
    for daemon in (s.on_a, s.on_b):
        daemon.write()
        daemon.process.send_signal(signal.SIGHUP)
        lab_module.wait_until(lambda d=daemon: d.status()["mode"] == "backup", 3, "the mode is backup")
    wait_log(s.on_a, r"hawser.yaml:\d+:\d+: policy.mode: redundant becomes backup")
    wait_log(s.on_a, "was reloaded: 1 change")
    session_goes_on(s)


@case
def price_and_use_move_the_traffic(s):
    lab_module.wait_until(lambda: share(s)["dsl"] >= 1.9, 20, "the nearer link carries")
    for key, value in (("price", 7), ("use", "backup")):
        for daemon in (s.on_a, s.on_b):
            link_of(daemon.config, "dsl")[key] = value
            done = reload(daemon)
            expect(done.returncode == 0 and f"links.dsl.{key}: " in done.stdout, f"{done}")
        lab_module.wait_until(lambda: share(s)["lte"] >= 1.9, 20, f"{key} moves the traffic")
        now = share(s)
        expect(now["dsl"] < CONTROL, f"packets for each ping: {now}")
        for daemon in (s.on_a, s.on_b):
            del link_of(daemon.config, "dsl")[key]
            expect(reload(daemon).returncode == 0, "back")
        lab_module.wait_until(lambda: share(s)["dsl"] >= 1.9, 20, "and back")
    session_goes_on(s)


@case
def an_endpoint_changes(s):
    for daemon in (s.on_a, s.on_b):
        daemon.config["policy"]["mode"] = "redundant"
        expect(reload(daemon).returncode == 0, "the mode")
    s.b.ip("address add 10.1.1.9/24 dev dsl")

    def change():
        link_of(s.on_a.config, "dsl")["endpoint"] = ["10.1.1.9:8420"]
        done = reload(s.on_a)
        lab_module.wait_until(lambda: is_up(s.on_a, "dsl"), 2, "the path is up again")
        return done
    done = under_traffic(s, change)
    expect(done.returncode == 0 and "links.dsl.endpoint: 10.1.1.2:8420 becomes 10.1.1.9:8420"
           in done.stdout, f"{done}")
    expect(s.on_a.paths()["dsl"]["remote"] == "10.1.1.9:8420", f"{s.on_a.paths()['dsl']}")
    session_goes_on(s)


@case
def the_tunnels_address_and_mtu_change(s):
    s.on_a.config["tunnel"]["address"].append("10.89.0.1/24")
    s.on_a.config["tunnel"]["mtu"] = 1380
    done = under_traffic(s, lambda: reload(s.on_a))
    expect(done.returncode == 0 and "2 changes" in done.stdout, f"{done}")
    shown = json.loads(s.a.run(["ip", "-j", "addr", "show", "dev", "hw0"]).stdout)[0]
    expect(shown["mtu"] == 1380, f"{shown}")
    expect({"10.88.0.1", "10.89.0.1"} <= {a["local"] for a in shown["addr_info"]}, f"{shown}")
    # One that follows what the paths take: 1500 less what the tunnel adds.
    s.on_a.config["tunnel"]["mtu"] = "auto"
    done = reload(s.on_a)
    expect(done.returncode == 0 and "tunnel.mtu: 1380 becomes auto" in done.stdout, f"{done}")

    def device_mtu():
        return json.loads(s.a.run(["ip", "-j", "link", "show", "dev", "hw0"]).stdout)[0]["mtu"]
    lab_module.wait_until(lambda: device_mtu() != 1380, 45, lambda: f"MTU {device_mtu()} follows")
    expect(1380 < device_mtu() < 1480, f"{device_mtu()}")
    s.on_a.config["tunnel"]["address"].pop()
    del s.on_a.config["tunnel"]["mtu"]
    expect(reload(s.on_a).returncode == 0, "back")
    shown = json.loads(s.a.run(["ip", "-j", "addr", "show", "dev", "hw0"]).stdout)[0]
    expect(shown["mtu"] == 1500 and "10.89.0.1" not in str(shown), f"{shown}")
    session_goes_on(s)


@case
def frames_change(s):
    before = {name: path["local"] for name, path in s.on_a.paths().items()}

    def change():
        for keys in ({"copy-dscp": True, "compression": "lz4", "mss-clamp": False}, {}):
            for daemon in (s.on_a, s.on_b):
                for key in ("copy-dscp", "compression", "mss-clamp"):
                    daemon.config["tunnel"].pop(key, None)
                daemon.config["tunnel"].update(keys)
                done = reload(daemon)
                expect(done.returncode == 0 and "3 changes" in done.stdout, f"{done}")
            time.sleep(0.5)
    under_traffic(s, change)
    after = {name: path["local"] for name, path in s.on_a.paths().items()}
    expect(before == after, f"the sockets are others: {before}, {after}")
    session_goes_on(s)


@case
def what_cannot_change_is_refused_whole(s):
    was = s.on_a.status()
    s.on_a.config["tunnel"]["type"] = "tun"
    s.on_a.config["policy"]["mode"] = "backup"
    done = under_traffic(s, lambda: reload(s.on_a))
    expect(done.returncode == 1, f"{done}")
    expect(re.search(r"hawser.yaml:\d+:\d+: not while running: tunnel.type: a device cannot change "
                     r"its type \(tap to tun\) while it exists: restart\n", done.stderr), f"{done}")
    expect("nothing was changed" in done.stderr and done.stdout == "", f"{done}")
    now = s.on_a.status()
    expect((now["mode"], now["uptime_s"] > was["uptime_s"]) == ("redundant", True), f"{now}")
    wait_log(s.on_a, "the configuration was not reloaded: a change needs a restart")
    s.on_a.config["tunnel"]["type"] = "tap"
    s.on_a.config["policy"]["mode"] = "redundant"
    session_goes_on(s)


@case
def a_broken_file_changes_nothing(s):
    path = s.on_a.write()
    with open(path) as file:
        good = file.read()

    def break_it():
        with open(path, "w") as file:
            file.write(good.replace("mode:", "mod:") + "log-level: loud\n")
        return s.on_a.ask("reload", check=False)
    done = under_traffic(s, break_it)
    expect(done.returncode == 3, f"{done}")
    expect("did you mean 'mode'?" in done.stderr and "'loud' is not right" in done.stderr, f"{done}")
    expect(len(re.findall(r"hawser.yaml:\d+:\d+: error: ", done.stderr)) == 2, f"{done}")
    wait_log(s.on_a, "the configuration was not reloaded: the file has 2 errors; running on")
    # Also when there is none, or it is no file at all.
    s.a.run(["rm", path])
    done = s.on_a.ask("reload", check=False)
    expect(done.returncode == 3 and "cannot be read" in done.stderr, f"{done}")
    s.a.run(["mkdir", path])
    done = s.on_a.ask("reload", check=False)
    expect(done.returncode == 3 and "not a regular file" in done.stderr, f"{done}")
    s.a.run(["rmdir", path])
    expect(reload(s.on_a).returncode == 0, "mended")
    session_goes_on(s)


@case
def links_go_down_and_up_on_request(s):
    def link_json(name):
        return next(x for x in s.on_a.status()["links"] if x["name"] == name)

    def down_and_up():
        done = s.on_a.ask("link", "down", "lte", "--device", "hw0")
        expect(done.stdout == "link lte: down, until 'hawser link up lte' or a restart\n", f"{done}")
        lab_module.wait_until(lambda: not is_up(s.on_b, "lte"), 1, "the peer knows")
        expect(not is_up(s.on_a, "lte"), "still up")
        expect(link_json("lte")["state"] == "down", f"{link_json('lte')}")
        # A reload does not undo what was asked for.
        expect(reload(s.on_a).returncode == 0 and not is_up(s.on_a, "lte"), "came up by itself")
        done = s.on_a.ask("link", "up", "lte")
        expect(done.stdout == "link lte: in use\n", f"{done}")
        lab_module.wait_until(lambda: is_up(s.on_a, "lte"), 2, "the link is up")
    under_traffic(s, down_and_up)
    done = s.on_a.ask("link", "use", "lte", "backup")
    expect(done.stdout.startswith("link lte: in use as a backup; its use is backup until 'hawser "
                                  "link use lte config' or a restart (configured: always)"),
           f"{done}")
    expect((link_json("lte")["use"], link_json("lte")["use_by"]) == ("backup", "operator"),
           f"{link_json('lte')}")
    expect(share(s)["lte"] < CONTROL, "a backup link carries copies")
    s.on_a.ask("link", "use", "lte", "never")
    lab_module.wait_until(lambda: not is_up(s.on_b, "lte"), 1, "the peer knows")
    expect(s.on_a.ask("link", "use", "lte", "config").stdout == "link lte: in use\n", "config")
    lab_module.wait_until(lambda: is_up(s.on_a, "lte"), 2, "the link is up")
    done = s.on_a.ask("link", "down", "ltee", check=False)
    expect(done.returncode == 1 and "no link is named 'ltee': did you mean 'lte'? The links are dsl, "
           "lte" in done.stderr, f"{done}")
    for text in ("taken down by the operator", "link lte: ready on lte"):
        expect(text in s.on_a.log(200), f"the log lacks: {text}\n{s.on_a.log()}")
    session_goes_on(s)


@case
def a_word_of_a_link_outlives_its_interface(s):
    def link_json():
        return next((x for x in s.on_a.status()["links"] if x["name"] == "usb/usb0"), None)
    s.on_a.config["links"].append({"name": "usb", "interface": "usb*", "endpoint": ["10.1.7.2:8420"]})
    expect(reload(s.on_a).returncode == 0, "a pattern")
    s.lab.veth("usb0", s.a, s.b, 7)
    lab_module.wait_until(link_json, 3, "the modem is a link")
    for args, shown in ((("down",), "down"), (("use", "backup"), "down")):
        done = s.on_a.ask("link", args[0], "usb/usb0", *args[1:])
        expect(done.returncode == 0, f"{done}")
        s.a.ip("link del usb0")
        lab_module.wait_until(lambda: not link_json(), 3, "the modem is gone")
        s.lab.veth("usb0", s.a, s.b, 7)
        lab_module.wait_until(link_json, 3, "the modem is a link again")
        expect(link_json()["state"] == shown, f"{link_json()}")
    expect((link_json()["use"], link_json()["use_by"]) == ("backup", "operator"), f"{link_json()}")
    s.on_a.ask("link", "up", "usb/usb0")
    s.on_a.ask("link", "use", "usb/usb0", "config")
    expect((link_json()["use"], link_json()["state"]) == ("always", "ready"), f"{link_json()}")
    # Nor need it be plugged in for the word to be taken back; one that was never there has none.
    s.on_a.ask("link", "down", "usb/usb0")
    s.a.ip("link del usb0")
    lab_module.wait_until(lambda: not link_json(), 3, "the modem is gone")
    done = s.on_a.ask("link", "up", "usb/usb0")
    expect("not there now; when it comes: as configured" in done.stdout, f"{done}")
    expect(s.on_a.ask("link", "up", "usb/usb0", check=False).returncode == 1, "a word is left")
    s.lab.veth("usb0", s.a, s.b, 7)
    lab_module.wait_until(lambda: link_json() and link_json()["state"] == "ready", 3, "it is up")
    s.a.ip("link del usb0")
    s.on_a.config["links"].pop()
    expect(reload(s.on_a).returncode == 0, "no pattern")
    expect(s.on_a.ask("link", "up", "usb/usb0", check=False).returncode == 1, "still there")
    session_goes_on(s)


@case
def reloads_hold_nobody_up(s):
    """Twenty reloads a second for some seconds; the time that one takes is printed, not judged."""
    times = []
    printed = r"was reloaded: .*read in ([0-9.]+) ms, taken over in ([0-9.]+) ms"

    def storm():
        for i in range(40):
            link_of(s.on_a.config, "dsl")["price"] = 1 + i % 2
            began = time.monotonic()
            expect(reload(s.on_a).returncode == 0, "reload")
            times.append(time.monotonic() - began)
        for _ in range(20):  # nor signals in a row, of which most find one under way
            s.on_a.process.send_signal(signal.SIGHUP)
    under_traffic(s, storm)
    times.sort()
    print(f"# a reload, asked from the command line: median {times[len(times) // 2] * 1e3:.1f} ms, "
          f"longest {times[-1] * 1e3:.1f} ms")
    lab_module.wait_until(lambda: s.on_a.ask("reload", check=False).returncode == 0, 3, "settled")
    found = [tuple(map(float, x)) for x in re.findall(printed, s.on_a.log(10000))]
    read, taken = (sorted(x[i] for x in found) for i in (0, 1))
    print(f"# in the daemon, {len(found)} times: read beside the loop, median {read[len(read) // 2]} "
          f"ms, longest {read[-1]} ms; taken over in the loop, median {taken[len(taken) // 2]} ms, "
          f"longest {taken[-1]} ms")
    session_goes_on(s)


@case
def counters_conserve(s):
    for daemon in (s.on_a, s.on_b):
        conserves(daemon)
        expect(not daemon.complaints(), daemon.complaints())
    expect([d.stop() for d in (s.on_a, s.on_b)] == [0, 0], "exit codes")


main(setup)
