#!/usr/bin/env python3
"""What the daemon owes to the system it runs on: interfaces that come and go, names, files, signals,
and words that help when something is wrong. Bare veth pairs; no link loses anything by itself."""

import os
import re
import signal
import stat
import subprocess

from tap import Skip, case, expect, main

import lab as lab_module
from daemon import Daemon, configs, secret_file

RSS_MAX_BYTES = 20 * 1000 * 1000


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.lab = lab
    s.a, s.b = lab.host("a"), lab.host("b")
    lab.veth("wan1", s.a, s.b, 1)
    s.secret = secret_file(lab)
    s.config_a, s.config_b = configs(lab, ["wan1", "wan2"], s.secret)
    s.on_b = Daemon(s.b, s.config_b).start()
    s.on_a = Daemon(s.a, s.config_a).start()
    s.on_a.wait_up(paths=1)
    return s


def wait_log(daemon, pattern, timeout=5):
    lab_module.wait_until(lambda: re.search(pattern, daemon.log()), timeout,
                          f"{daemon.host.name} logs {pattern}\n{daemon.log()}")


def fragments_made(host):
    """How many IPv4 fragments a host's kernel has made of packets of its own."""
    names, values = (line.split() for line in host.run(["grep", "^Ip:", "/proc/net/snmp"])
                     .stdout.splitlines())
    return int(values[names.index("FragCreates")])


def is_up(daemon, link):
    path = daemon.paths().get(link)
    return path is not None and path["state"] == "up"


def fails(host, config, wrapper=(), runtime=None):
    """Runs a daemon that must not start, to its end; returns (exit code, what it said)."""
    daemon = Daemon(host, config)
    environment = daemon.environment()
    if runtime:
        environment["HAWSER_RUNTIME_DIR"] = runtime
    done = host.run([*wrapper, daemon.program, "run", daemon.write()], env=environment, check=False)
    return done.returncode, done.stderr


@case
def interface_that_appears_later_is_used(s):
    expect("waiting for interface wan2" in s.on_a.log(), "does not say that it waits")
    expect("wan2" not in s.on_a.paths(), "there is a path without an interface")
    s.lab.veth("wan2", s.a, s.b, 2)
    for daemon in (s.on_a, s.on_b):
        lab_module.wait_until(lambda d=daemon: is_up(d, "wan2"), 10, "wan2 is up")
    path = s.on_a.paths()["wan2"]
    expect((path["interface"], path["local"], path["remote"]) ==
           ("wan2", "10.1.2.1", "10.1.2.2:8420"), f"{path}")


@case
def link_of_another_mtu_carries_on(s):
    for host in (s.a, s.b):
        host.ip("link set wan2 mtu 1300")
    for daemon in (s.on_a, s.on_b):
        wait_log(daemon, r"link wan2: MTU 1300")
    result = s.a.ping("10.88.0.2", count=20, interval=0.02, size=1400)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost} lost")
    # What goes over wan2 is no larger than it takes: the kernel had nothing to cut.
    before = fragments_made(s.a)
    s.a.ping("10.88.0.2", count=20, interval=0.02, size=1400)
    expect(fragments_made(s.a) == before, f"the kernel made {fragments_made(s.a) - before} fragments")
    for host in (s.a, s.b):
        host.ip("link set wan2 mtu 1500")


@case
def interface_that_vanishes_is_missed_at_once(s):
    s.a.ip("link del wan2")
    for daemon in (s.on_a, s.on_b):
        wait_log(daemon, r"link wan2: down: its interface")
    result = s.a.ping("10.88.0.2", count=50, interval=0.01)
    expect(result.lost == 0, f"{result.lost} of 50 lost over wan1")
    s.lab.veth("wan2", s.a, s.b, 2)
    for daemon in (s.on_a, s.on_b):
        lab_module.wait_until(lambda d=daemon: is_up(d, "wan2"), 15, "wan2 is up again")


@case
def renamed_interface_is_another_one(s):
    s.a.ip("link set wan2 down")
    s.a.ip("link set wan2 name old2")
    s.a.ip("link set old2 up")
    lab_module.wait_until(lambda: not is_up(s.on_a, "wan2"), 5, "wan2 is down")
    s.a.ip("link set old2 down")
    s.a.ip("link set old2 name wan2")
    s.a.ip("link set wan2 up")
    lab_module.wait_until(lambda: is_up(s.on_a, "wan2"), 15, "wan2 is up again")


@case
def one_daemon_a_device(s):
    code, said = fails(s.a, s.config_a, runtime=s.on_a.environment()["HAWSER_RUNTIME_DIR"])
    expect(code == 1 and "already" in said, f"{code}: {said}")
    # With a runtime directory of its own it gets as far as the device.
    code, said = fails(s.a, s.config_a)
    expect(code == 1 and "hw0 is in use" in said, f"{code}: {said}")
    expect(s.on_a.peer()["state"] == "up", "the first one suffered")


@case
def not_permitted_says_what_to_do(s):
    if os.geteuid() != 0 or "HW_LAB_INSIDE" in os.environ:
        raise Skip("needs root to become another user")
    secret = os.path.join("/tmp", f"hw-test-{os.getpid()}.secret")
    with open(os.open(secret, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(open(s.secret).read())
    os.chown(secret, 65534, 65534)
    config = {**s.config_a, "identity": {"secret-file": secret},
              "tunnel": {**s.config_a["tunnel"], "device": "hw7"}}
    mode = stat.S_IMODE(os.stat(s.lab.dir).st_mode)
    os.chmod(s.lab.dir, 0o755)
    try:
        code, said = fails(s.a, config,
                           ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    finally:
        os.chmod(s.lab.dir, mode)
        os.unlink(secret)
    expect(code == 1 and "run as root, or with CAP_NET_ADMIN" in said, f"{code}: {said}")


@case
def hangup_is_survived(s):
    s.on_a.process.send_signal(signal.SIGHUP)
    wait_log(s.on_a, "was reloaded: 0 changes")
    expect(s.on_a.peer()["state"] == "up", "the session is gone")


@case
def socket_is_for_its_group_alone(s):
    path = os.path.join(s.on_a.dir, "run", "hw0.sock")
    mode = os.stat(path).st_mode
    expect(stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660, f"{mode:o}")


@case
def idle_memory_is_small(s):
    if lab_module.is_sanitized(s.lab.build):
        raise Skip("sanitizers take memory of their own")
    for daemon in (s.on_a, s.on_b):
        expect(daemon.rss_bytes() <= RSS_MAX_BYTES, f"RSS {daemon.rss_bytes() / 1e6:.1f} MB")


@case
def secret_is_in_no_log_and_no_status(s):
    secret = open(s.secret).read().strip()
    for daemon in (s.on_a, s.on_b):
        status = daemon.ask("status", "--json", "hw0").stdout
        arguments = open(f"/proc/{daemon.process.pid}/cmdline").read()
        expect(len(secret) == 44 and secret not in daemon.log(10 ** 6) + status + arguments,
               "the secret is told")


@case
def stops_cleanly_and_says_goodbye(s):
    expect(s.on_a.stop() == 0, "exit code")
    expect(not s.on_a.has_device(), "the device is still there")
    expect(os.listdir(os.path.join(s.on_a.dir, "run")) == [], "files left in the runtime directory")
    wait_log(s.on_b, "said goodbye", 2)
    done = s.on_a.ask("status", check=False)
    expect(done.returncode != 0 and "hawser run" in done.stderr, f"{done.stderr}")


@case
def timestamps_survive_in_the_state_file(s):
    path = os.path.join(s.on_a.dir, "state", "hw0.state")
    first = open(path).read()
    match = re.match(r"hawser-state 2\ntimestamp-floor-ns (\d+)\n", first)
    expect(match, f"{first!r}")
    s.on_a.start().wait_up(paths=2)
    # What links have carried is written there too, so it may change before the floor does.
    lab_module.wait_until(lambda: int(re.search(r"ns (\d+)", open(path).read()).group(1)) >
                          int(match.group(1)), 5, "the floor rises")
    # A damaged one is reported, and is no reason not to start.
    expect(s.on_a.stop() == 0, "exit code")
    with open(path, "w") as file:
        file.write("hawser-state 1\ntimestamp-floor-ns 17")
    s.on_a.start()
    expect("hw0.state is damaged" in s.on_a.log(), "does not say that it is damaged")
    lab_module.wait_until(lambda: open(path).read().endswith("\n"), 5, "the state is written anew")


@case
def deleted_device_ends_the_daemon_with_an_error(s):
    s.a.ip("link del hw0")
    try:
        code = s.on_a.process.wait(5)
    except subprocess.TimeoutExpired:
        code = None
    expect(code == 1 and "it was deleted" in s.on_a.log(), f"exit {code}")


def start_afresh(s, change_a, change_b, wrapper=()):
    """Both daemons anew, with another secret: they do not know each other's past."""
    secret = secret_file(s.lab, "fresh")
    for daemon in (s.on_a, s.on_b):
        if daemon.process.poll() is None:
            daemon.stop()
    config_a, config_b = ({**config, "identity": {"secret-file": secret}, **change}
                          for config, change in ((s.config_a, change_a), (s.config_b, change_b)))
    for config in (config_a, config_b):
        if not config["links"]:
            del config["links"]
    s.on_b = Daemon(s.b, config_b).start()
    s.on_a = Daemon(s.a, config_a).start(wrapper)


@case
def names_are_resolved(s):
    if os.geteuid() != 0 and "HW_LAB_INSIDE" not in os.environ:
        raise Skip("needs a mount namespace")
    # Where / is no mount point (a bare chroot), what is mounted here could show outside.
    done = s.a.run(["unshare", "-m", "true"], check=False)
    if done.returncode != 0:
        raise Skip(f"no mount namespace of its own: {done.stderr.strip()}")
    hosts = os.path.join(s.lab.dir, "hosts")
    with open(hosts, "w") as file:
        file.write("127.0.0.1 localhost\n10.1.1.2 hub.test\n")
    script = f'mount --bind {hosts} /etc/hosts && exec "$@"'
    start_afresh(s, {"links": [
        {"name": "wan1", "interface": "wan1", "endpoint": ["hub.test:8420"]},
        {"name": "wan2", "interface": "wan2", "endpoint": ["10.1.2.2:8420"]}]}, {},
        ["unshare", "-m", "sh", "-c", script, "sh"])
    s.on_a.wait_up(paths=2)
    expect(s.on_a.paths()["wan1"]["remote"] == "10.1.1.2:8420", f"{s.on_a.paths()}")


@case
def without_links_answers_leave_from_the_address_that_was_asked(s):
    s.b.ip("addr add 10.1.1.99/24 dev wan1")
    start_afresh(s, {"links": [], "peers": [{"name": "hub", "endpoint": ["10.1.1.99:8420"]}]},
                 {"links": []})
    s.on_a.wait_up(paths=1)
    remotes = [p["remote"] for p in s.on_a.peer()["paths"]]
    expect(remotes == ["10.1.1.99:8420"], f"{remotes}")
    local = [p["local"] for p in s.on_b.peer()["paths"]]
    expect(local == ["10.1.1.99"], f"{local}")
    result = s.a.ping("10.88.0.2", count=20, interval=0.02)
    expect((result.lost, result.duplicates) == (0, 0), f"{result.lost} lost")
    expect([s.on_a.stop(), s.on_b.stop()] == [0, 0], "exit codes")


main(setup)
