#!/usr/bin/env python3
"""Runs the real program as a person would, and checks what it prints and returns.

    cli.py --hawser PROGRAM --source DIR

Speaks TAP. Needs nothing but a folder to write in; `wg`, where installed, confirms the keys.
"""

import argparse
import base64
import json
import os
import pathlib
import pty
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading

OK, FAILURE, USAGE, CONFIG, NO_DAEMON = range(5)
HAWSER = None
SOURCE = None
TESTS = []


class Skip(Exception):
    pass


def test(function):
    TESTS.append(function)
    return function


def run(*args, text=None, env=None, **more):
    """The program's code, standard output and standard error."""
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", **(env or {})}
    # Sanitizer options must reach the program under test.
    environment |= {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")}
    done = subprocess.run([HAWSER, *args], input=text, capture_output=True, text=True, timeout=20,
                          env=environment, **more)
    return done.returncode, done.stdout, done.stderr


def equal(got, wanted):
    assert got == wanted, f"got {got!r}, wanted {wanted!r}"


def inside(part, whole):
    assert part in whole, f"{part!r} is not in {whole!r}"


def fails(code, message, *args, **more):
    got, out, err = run(*args, **more)
    equal(got, code)
    equal(out, "")
    inside(message, err)
    assert err.endswith("\n") and "hawser: " in err, err


def secret_file(folder, name="hawser.secret", mode=0o600):
    path = folder / name
    path.write_bytes(base64.b64encode(bytes(range(32))) + b"\n")
    path.chmod(mode)
    return path


def config_file(folder, text, name="t.yaml"):
    path = folder / name
    path.write_text(text)
    return path


HUB = "identity: {secret-file: hawser.secret}\nlisten: 8420\n"


# --- The command line -----------------------------------------------------------------------------

def command_names():
    out = run("help")[1]
    return [line.split()[0] for line in out.splitlines() if line.startswith("  ")]


@test
def help_lists_every_command_and_explains_each(folder):
    code, out, err = run("help")
    equal((code, err), (OK, ""))
    inside("Exit codes: 0", out)
    equal(run("--help")[1], out)
    names = command_names()
    for name in ("run", "check", "probe", "status", "reload", "link", "genkey", "pubkey", "gensecret",
                 "sim", "version", "help"):
        assert name in names, name
    for name in names:
        code, out, err = run("help", name)
        equal((code, err), (OK, ""))
        inside(f"usage: hawser {name}", out)
        equal(run(name, "--help"), (OK, out, ""))
        assert max(map(len, out.splitlines())) <= 80, out


@test
def wrong_command_lines_are_explained(folder):
    secret_file(folder)
    equal(run("check", "--", str(config_file(folder, HUB)))[0], OK)
    fails(USAGE, "hawser: no command given")
    fails(USAGE, "hawser: unknown command 'chekc': did you mean 'check'?", "chekc")
    fails(USAGE, "hawser: unknown command 'frobnicate': 'hawser help' lists them", "frobnicate")
    fails(USAGE, "hawser: unknown command 'statsu': did you mean 'status'?", "help", "statsu")
    fails(USAGE, "unknown option '--jsno': did you mean '--json'?", "status", "--jsno")
    fails(USAGE, "unknown option '--force'", "check", "--force", "x")
    fails(USAGE, "usage: hawser check FILE", "check")
    fails(USAGE, "'b' is too much", "check", "a", "b")
    fails(USAGE, "'x' is too much", "genkey", "x")
    equal(run("sim")[0], USAGE)
    equal(run("sim", str(folder / "missing.yaml"))[0], CONFIG)


@test
def probe_refuses_what_cannot_be_probed(folder):
    secret_file(folder)
    hub = str(config_file(folder, HUB))
    client = HUB.replace("listen: 8420", "peers: [{name: hub, endpoint: [127.0.0.1:9]}]")
    client = str(config_file(folder, client, "client.yaml"))
    fails(USAGE, "usage: hawser probe", "probe")
    fails(USAGE, "'b' is too much", "probe", "a", "b")
    fails(USAGE, "unknown option '--yse': did you mean '--yes'?", "probe", "--yse", client)
    fails(USAGE, "unknown option '--frobnicate'", "probe", "--frobnicate", client)
    for size in ("", "x", "10", "99kB", "1.1GB", "10MBx", "-5MB", "nan", "inf", "10 MB"):
        fails(USAGE, "--limit: expected a size", "probe", "--limit", size, client)
        fails(USAGE, "--limit: expected a size", "probe", f"--limit={size}", client)
    fails(USAGE, "--limit: expected a size", "probe", client, "--limit")
    fails(CONFIG, "missing.yaml", "probe", str(folder / "missing.yaml"))
    code, out, err = run("probe", "--limit", "10MB", hub)
    equal((code, out), (FAILURE, ""))
    inside("names no address of its peer", err)


@test
def version_is_printed(folder):
    code, out, err = run("version")
    equal((code, err), (OK, ""))
    assert out.startswith("hawser ") and out.strip()[-1].isdigit(), out
    equal(run("--version")[1], out)


@test
def a_full_disk_is_a_failure(folder):
    with open("/dev/full", "w") as full:
        done = subprocess.run([HAWSER, "genkey"], stdout=full, stderr=subprocess.PIPE, text=True)
    equal(done.returncode, FAILURE)
    inside("hawser: cannot write", done.stderr)


@test
def the_manual_and_the_completion_know_every_command(folder):
    manual = (SOURCE / "packaging" / "hawser.1").read_text()
    completion = (SOURCE / "packaging" / "hawser.bash").read_text()
    known = re.search(r"commands='([a-z ]+)'", completion).group(1).split()
    for name in command_names():
        assert re.search(rf"^\.B[IR]? {name}\b", manual, re.MULTILINE), name
        assert name in known, name


# --- Keys -----------------------------------------------------------------------------------------

@test
def keys_have_their_form(folder):
    keys = set()
    for _ in range(3):
        code, out, err = run("genkey")
        equal((code, err, len(out)), (OK, "", 45))
        raw = base64.b64decode(out, validate=False)
        equal((len(raw), raw[0] & 7, raw[31] >> 6), (32, 0, 1))
        keys.add(out)
    equal(len(keys), 3)


def x25519_public(private):
    """The Montgomery ladder of RFC 7748, section 5, on the base point 9."""
    p, a24 = 2**255 - 19, 121665
    scalar = int.from_bytes(private, "little")
    scalar = scalar & ~7 & (2**255 - 1) | 2**254
    x1, x2, z2, x3, z3, swapped = 9, 1, 0, 9, 1, 0
    for bit in range(254, -1, -1):
        k = scalar >> bit & 1
        if k != swapped:
            x2, z2, x3, z3 = x3, z3, x2, z2
        swapped = k
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % p, b * b % p, d * a % p, c * b % p
        x3, z3 = (da + cb) ** 2 % p, x1 * (da - cb) ** 2 % p
        e = aa - bb
        x2, z2 = aa * bb % p, e * (aa + a24 * e) % p
    if swapped:
        x2, z2 = x3, z3
    return (x2 * pow(z2, p - 2, p) % p).to_bytes(32, "little")


@test
def pubkey_is_x25519(folder):
    privates = [bytes(range(32)), b"\xff" * 32, base64.b64decode(run("genkey")[1])]
    for private in privates:
        text = base64.b64encode(private).decode() + "\n"
        public = base64.b64encode(x25519_public(private)).decode() + "\n"
        equal(run("pubkey", text=text), (OK, public, ""))


@test
def pubkey_agrees_with_wireguard(folder):
    if shutil.which("wg") is None:
        raise Skip("wg is not installed")
    for _ in range(3):
        private = run("genkey")[1]
        code, public, err = run("pubkey", text=private)
        equal((code, err), (OK, ""))
        equal(public, subprocess.run(["wg", "pubkey"], input=private, capture_output=True, text=True,
                                     check=True).stdout)
        # A final newline is not needed.
        equal(run("pubkey", text=private.strip())[1], public)


@test
def pubkey_refuses_what_is_no_key(folder):
    good = run("genkey")[1].strip()
    for text in ("", "\n", good + "x", good[:-1], good + "\n\n", "!" + good[1:], good + "\n" + good):
        fails(FAILURE, "hawser: pubkey: standard input is not a private key", "pubkey", text=text)


@test
def gensecret_makes_a_private_file_once(folder):
    path = folder / "s"
    old = os.umask(0)
    try:
        equal(run("gensecret", str(path)), (OK, "", ""))
    finally:
        os.umask(old)
    equal(stat.S_IMODE(path.stat().st_mode), 0o600)
    content = path.read_bytes()
    equal((len(content), content[-1:]), (45, b"\n"))
    equal(len(base64.b64decode(content, validate=False)), 32)
    fails(FAILURE, "exists already", "gensecret", str(path))
    equal(path.read_bytes(), content)
    fails(FAILURE, "No such file or directory", "gensecret", str(folder / "no" / "s"))
    # Nor through a link that leads elsewhere.
    (folder / "link").symlink_to(folder / "elsewhere")
    fails(FAILURE, "exists already", "gensecret", str(folder / "link"))
    assert not (folder / "elsewhere").exists()
    code, out, _ = run("gensecret")
    equal((code, len(out)), (OK, 45))
    assert out.encode() != content


@test
def what_gensecret_makes_check_takes(folder):
    equal(run("gensecret", str(folder / "hawser.secret"))[0], OK)
    equal(run("check", str(config_file(folder, HUB)))[0], OK)


# --- check ----------------------------------------------------------------------------------------

@test
def the_documented_examples_are_good(folder):
    secret_file(folder)
    for name in ("client", "hub"):
        path = folder / f"{name}.yaml"
        shutil.copy(SOURCE / "docs" / "examples" / path.name, path)
        code, out, err = run("check", str(path))
        equal((code, err), (OK, ""))
        inside("is good", out)
        inside(f"role       {name}", out)


def completed(example):
    """An example of the reference shows one section; the rest that a file needs."""
    if "identity:" not in example:
        own = "private-key-file" if "public-key:" in example else "secret-file"
        example = f"identity: {{{own}: hawser.secret}}\n" + example
    return example if "endpoint:" in example or "listen:" in example else example + "listen: 8420\n"


@test
def every_example_of_the_reference_is_good(folder):
    secret_file(folder)
    reference = (SOURCE / "docs" / "configuration.md").read_text()
    examples = re.findall(r"^```yaml\n(.*?)^```", reference, re.MULTILINE | re.DOTALL)
    assert len(examples) >= 7, examples
    for example in examples:
        code, _, err = run("check", str(config_file(folder, completed(example))))
        assert code == OK, err + example


@test
def every_key_is_in_the_reference(folder):
    reference = (SOURCE / "docs" / "configuration.md").read_text()
    keys = re.findall(r'^\t\{ "([a-z-]+)"', (SOURCE / "src" / "config" / "keys.c").read_text(), re.MULTILINE)
    assert len(keys) > 30, keys
    for key in keys:
        assert re.search(rf"(?<![a-z-]){key}[`:]|^## {key}\b", reference, re.MULTILINE), key


@test
def check_says_what_a_file_means(folder):
    secret_file(folder)
    code, out, err = run("check", str(config_file(folder, HUB)))
    equal((code, err), (OK, ""))
    for part in ("hw0, tap (Ethernet), MTU 1500", "role       hub (no endpoint is configured)",
                 "listen     port 8420, every address", "peer       peer",
                 "link       any: whatever way the kernel routes", "mode       redundant",
                 "suite      chacha20-poly1305", "replay window 65536 packets, 10 s"):
        inside(part, out)
    assert base64.b64encode(bytes(range(32))).decode() not in out, "a secret was printed"


@test
def check_shows_the_public_key_of_a_private_one(folder):
    private = run("genkey")[1]
    public = run("pubkey", text=private)[1].strip()
    other = run("pubkey", text=run("genkey")[1])[1].strip()
    (folder / "k").write_text(private)
    (folder / "k").chmod(0o600)
    text = "identity: {private-key-file: k}\nlisten: 8420\npeers: [{name: a, public-key: %s}]\n"
    code, out, err = run("check", str(config_file(folder, text % other)))
    equal((code, err), (OK, ""))
    inside(f"public key {public}", out)
    inside(f"public key {other}", out)
    path = config_file(folder, text % public)
    fails(CONFIG, f"{path}:3:31: error: peers[0].public-key: this is this host's own key", "check",
          str(path))


@test
def check_names_file_line_and_column(folder):
    secret_file(folder)
    path = config_file(folder, HUB + "tunel: {}\nlinks: [{name: a, mtu: 7}]\n")
    code, out, err = run("check", str(path))
    equal((code, out), (CONFIG, ""))
    equal(err.splitlines(), [
        f"{path}:3:1: error: unknown key 'tunel': did you mean 'tunnel'?",
        f"{path}:4:24: error: links[0].mtu: '7' is not right: expected a whole number of bytes from "
        "576 to 65535, such as 1420",
        f"hawser: {path} cannot be used: 2 errors"])


@test
def check_warns_of_what_is_doubtful(folder):
    secret_file(folder)
    path = config_file(folder, HUB + "tunnel: {type: tun}\n")
    code, out, err = run("check", str(path))
    equal(code, OK)
    inside("is good", out)
    equal(err, f"{path}: warning: tunnel.address is missing: a tun device needs one to carry anything\n")


@test
def a_secret_that_others_can_read_is_refused(folder):
    path = config_file(folder, HUB)
    for mode in (0o640, 0o604, 0o660, 0o602):
        secret = secret_file(folder, mode=mode)
        fails(CONFIG, f"{path}:1:25: error: {secret} is open to group or world (mode {mode:04o}): "
                      f"type 'chmod 600 {secret}'", "check", str(path))
    secret_file(folder, mode=0o400)
    equal(run("check", str(path))[0], OK)


@test
def a_secret_of_another_user_is_refused(folder):
    if os.geteuid() != 0:
        raise Skip("needs root, to give a file away")
    secret = secret_file(folder)
    path = config_file(folder, HUB)
    os.chown(secret, 65534, 65534)
    fails(CONFIG, "belongs to another user: type 'chown 0 ", "check", str(path))
    os.chown(secret, 0, 0)
    equal(run("check", str(path))[0], OK)


@test
def wrong_secrets_are_refused(folder):
    path = config_file(folder, HUB)
    fails(CONFIG, f"{path}:1:25: error: cannot read {folder}/hawser.secret: No such file", "check",
          str(path))
    secret = secret_file(folder)
    secret.write_text("not a key\n")
    fails(CONFIG, "does not hold a key", "check", str(path))
    secret.unlink()
    secret.mkdir(mode=0o700)
    fails(CONFIG, "is not a regular file", "check", str(path))


@test
def files_that_cannot_be_read_are_explained(folder):
    missing = folder / "missing.yaml"
    fails(CONFIG, f"{missing}: error: cannot be read: No such file or directory", "check", str(missing))
    fails(CONFIG, "it is not a regular file", "check", str(folder))
    fails(CONFIG, "the file is empty", "check", str(config_file(folder, "")))
    huge = config_file(folder, "#" * (1 << 20) + "\n")
    fails(CONFIG, "larger than 1048576 bytes", "check", str(huge))
    os.mkfifo(folder / "pipe")
    fails(CONFIG, "it is not a regular file", "check", str(folder / "pipe"))


@test
def run_starts_nothing_with_a_wrong_configuration(folder):
    env = {"HAWSER_RUNTIME_DIR": str(folder), "HAWSER_STATE_DIR": str(folder)}
    fails(USAGE, "usage: hawser run FILE", "run", env=env)
    fails(CONFIG, "cannot be read", "run", str(folder / "missing.yaml"), env=env)
    path = config_file(folder, HUB)
    fails(CONFIG, "No such file", "run", str(path), env=env)
    secret_file(folder, mode=0o644)
    fails(CONFIG, "is open to group or world", "run", str(path), env=env)
    equal([p.name for p in folder.glob("*.sock")], [])


# --- status ---------------------------------------------------------------------------------------

class Daemon:
    """Answers one request on a control socket with what it is given."""

    def __init__(self, folder, answer, device="hw0"):
        self.env = {"HAWSER_RUNTIME_DIR": str(folder)}
        self.path = folder / f"{device}.sock"
        self.answer = answer
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.bind(str(self.path))
        self.socket.listen(1)
        self.socket.settimeout(20)
        self.request = b""
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        try:
            connection = self.socket.accept()[0]
        except OSError:
            return
        with connection:
            while not self.request.endswith(b"\n"):
                piece = connection.recv(4096)
                if not piece:
                    return
                self.request += piece
            connection.sendall(self.answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
        self.path.unlink()


def path_status(**more):
    return {"link": "dsl", "interface": "eth0", "local": "192.0.2.1:8420", "remote": "192.0.2.9:8420",
            "state": "up", "rtt_ms": 20.46, "owd_ms": 0.0, "jitter_ms": 0.4, "loss_tx": 0.05,
            "loss_rx": 0.0512, "rate_tx_bps": 1234567.0, "rate_rx_bps": 999.6, "tx_packets": 1,
            "tx_bytes": 123456789, "rx_packets": 1, "rx_bytes": 999, "duplicates": 0, "why": "it answers",
            "state_age_s": 75.5, "use": "always", "price": 1, "metered": False, "id": 0,
            "observed": "203.0.113.7:51820", "mtu": 1420, "mtu_search": "complete",
            "mtu_probe_bytes": 3100, "rtt_min_ms": 19.5, "rtt_variation_ms": 0.7, "gap_ms": 20.0,
            "bursts": [1, 2], "tx": way_status(), "rx": way_status(queue_ms=30.25), **more}


def way_status(**more):
    return {"loss_1s": 0.5, "loss_10s": 0.25, "loss_60s": 0.125, "queue_ms": 1.5, "jitter_ms": 2.5,
            "excess_ms": 3.5, "rate_max_bps": 2e7, "burst_mean": 1.5, "burst_max": 14,
            "reorder_share": 0.001, "reorder_extent": 3, **more}


def link_status(**more):
    return {"name": "dsl", "interface": "eth0", "state": "ready", "reason": None, "use": "always",
            "use_by": "configuration", "price": 1, "metered": False, "mtu": 1500,
            "tx_bytes": 12345678901, "tx_packets": 1, "rx_bytes": 45678901234, "rx_packets": 1,
            "counted_since_s": 1760000000, "quota": None, **more}


def quota_status(**more):
    return {"bytes": 50 * 10**9, "per": "month", "used_bytes": 40100 * 10**6,
            "left_bytes": 9900 * 10**6, "warn_percent": 80, "warned": True, "spent": False,
            "begun_s": 1793491200, "ends_s": 1796083200, **more}


def status(paths, **more):
    return {"version": "0.1.0", "device": "hw0", "mode": "redundant", "uptime_s": 93784.5,
            "peers": [{"name": "hub", "public_key": "A" * 43 + "=", "state": "up",
                       "handshake_age_s": 34.2, "paths": paths,
                       "streams": [{"class": 0, "sent": 7, "delivered": 6, "duplicates": 12, "lost": 0},
                                   {"class": 1, "sent": 1000, "delivered": 999, "duplicates": 1998,
                                    "lost": 1}]}],
            "drops": {"rx_duplicate": 2010, "rx_auth": 0, "rx_old": 3}, "totals": {}, **more}


def reply(body):
    return (json.dumps({"ok": True, "status": body}) + "\n").encode()


def shown(folder, body, *args, **env):
    with Daemon(folder, reply(body)) as daemon:
        code, out, err = run("status", *args, env=daemon.env | env)
        equal((code, err), (OK, ""))
        equal(json.loads(daemon.request), {"request": "status"})
    return out


@test
def status_is_a_table(folder):
    unknown = dict.fromkeys(("rtt_ms", "loss_tx", "loss_rx", "rate_tx_bps", "rate_rx_bps"))
    out = shown(folder, status([path_status(),
                                path_status(link="lte", state="down", rtt_ms=1234.5, loss_tx=1.0,
                                            why="no probe was answered", use="never"),
                                path_status(link="radio", state="probing", **unknown)]))
    lines = out.splitlines()
    equal(lines[0], "hw0: redundant, running for 1 d 2 h")
    inside("Peer hub: up, keys 34 s old", out)
    rows = {line.split()[0]: line.split()[1:] for line in lines if line}
    equal(rows["dsl"], ["up", "20.5", "1.5", "30.2", "5.0", "5.1", "1.23M", "1.00k", "1420"])
    equal(rows["lte"], ["down", "1234", "1.5", "30.2", "100", "5.1", "1.23M", "1.00k", "1420"])
    equal(rows["radio"], ["probing", "-", "1.5", "30.2", "-", "-", "-", "-", "1420"])
    equal(rows["all"], ["2.47M", "2.00k"])
    equal(out.count("  for "), 2)  # down, and probing
    inside("\n  for 75 s: no probe was answered\n  carries nothing: not to be used", out)
    inside("control               7          6          0     0.0          12", out)
    inside("class 1           1.00k        999          1    0.10       2.00k", out)
    inside("Dropped  rx_old 3\n", out)  # duplicates are no trouble, an empty count no news
    assert "\x1b" not in out, "colours without a terminal"


def blocks(out):
    """The rows of each table that `hawser status` shows, by the first word of its heading."""
    found, heading = {}, None
    for line in out.splitlines():
        word = line.split()[0].rstrip(",") if line.strip() else ""
        if word == "PATH":  # the second line of a heading
            continue
        if word.isupper() and len(word) > 1:
            heading = found.setdefault(word, {})
        elif heading is not None and word:
            heading[word] = line.split()[1:]
    return found


@test
def status_shows_what_links_cost(folder):
    links = [link_status(),
             link_status(name="lte", use="backup", price=2, quota=quota_status(), metered=True),
             link_status(name="sat", use="never", use_by="quota", price=2000, tx_bytes=999,
                         quota=quota_status(used_bytes=50 * 10**9, left_bytes=0, spent=True)),
             link_status(name="usb", interface="wwan7", state="waiting", rx_bytes=None,
                         reason="it has no carrier"),
             link_status(name="off", state="down", use="backup", use_by="operator"),
             link_status(name="tiny", quota=quota_status(used_bytes=5 * 10**5, warned=False))]
    body = status([path_status()], links=links)
    out = shown(folder, body, TZ="UTC0")
    table = blocks(out)["LINK"]
    equal(table["dsl"], ["ready", "always", "1", "12.3", "GB", "45.7", "GB", "-"])
    equal(table["lte"], "ready backup 2 12.3 GB 45.7 GB 40.1 of 50.0 GB (80 %)".split())
    equal(table["sat"], "ready never 2.00k 999 B 45.7 GB 50.0 of 50.0 GB (100 %)".split())
    equal(table["usb"], ["waiting", "always", "1", "12.3", "GB", "-", "-"])
    equal(table["tiny"][-6:], ["500", "kB", "of", "50.0", "GB", "(0", "%)"][-6:])
    inside("\n  little of its quota is left until 2026-12-01 00:00\n", out)
    inside("\n  its quota is used up: not used until 2026-12-01 00:00\n", out)
    inside("\n  wwan7: it has no carrier\n", out)
    inside("\n  taken down by the operator", out)
    inside("\n  its use is the operator's word", out)
    equal(out.count("little of its quota"), 1)
    assert "counted since" not in out, "details without being asked"
    out = shown(folder, body, "--all", TZ="UTC0")
    inside("  counted since 2025-10-09 08:53; its quota since 2026-11-01 00:00; metered\n", out)


@test
def status_with_all_shows_every_figure(folder):
    pair = {"lift": 3.64, "low": 2.5, "high": 4.5, "verdict": "together"}
    lone = {"lift": 0.93, "low": 0.5, "high": 2.5, "verdict": "independent"}
    body = status([path_status(), path_status(id=5, link="lte", observed=None,
                                              rx=way_status(rate_max_bps=0, loss_1s=None)),
                   path_status(id=9, link="sat")])
    body["peers"][0]["pairs"] = [{"a": 0, "b": 5, "tx": lone, "rx": pair},
                                 {"a": 5, "b": 9, "tx": lone, "rx": lone}]
    out = shown(folder, body, "--all")
    table = blocks(out)
    equal(table["DELAY"]["dsl"], "20.5 19.5 0.7 3.5 3.5 1.5 30.2 2.5 2.5".split())
    equal(table["LOSS"]["dsl"], "50.0 25.0 12.5 50.0 25.0 12.5 1.5/14 1.5/14 0.10 0.10".split())
    equal(table["LOSS"]["lte"][3], "-")
    equal(table["SIZE"]["dsl"], "1420 complete 3.10 kB 20.0M 20.0M 123 MB 999 B".split())
    equal(table["SIZE"]["lte"][4:6], ["20.0M", "-"])
    inside("192.0.2.1:8420 > 192.0.2.9:8420\n", out)
    equal(out.count("seen as 203.0.113.7:51820"), 2)
    equal(table["BAD"]["1"], ["dsl", "\\", "0.9", "-"])
    equal(table["BAD"]["2"], ["lte", "3.6", "\\", "0.9"])
    equal(table["BAD"]["3"], ["sat", "-", "0.9", "\\"])
    for text in (out, shown(folder, body)):
        inside("dsl and lte fail together (in), 3.6 times as often as chance:\n", text)
        equal(text.count("fail together"), 1)
    assert "BAD" not in shown(folder, body), "the matrix without being asked"


@test
def status_fits_80_columns_of_ascii(folder):
    huge = dict.fromkeys(("rtt_ms", "rate_tx_bps", "rate_rx_bps", "tx_bytes", "rx_bytes"), 1e300)
    paths = [path_status(link="x" * 63, remote="[2001:db8:1234:1234:1234:1234:1234:1234]:65535", **huge),
             path_status(link="x" * 63, remote="y" * 500, state="s" * 99, **huge),
             path_status(link="\x1b[31m\u00e9", tx_bytes=2**62, rx_bytes=-1, loss_tx=-4, loss_rx=1e9),
             {}, 7]
    body = status(paths, device="d" * 99, mode="m" * 99, uptime_s=1e300)
    body["drops"] = {f"reason_{'z' * (i % 60)}_{i}": 10**i for i in range(18)}
    body["peers"][0] |= {"name": "n" * 99, "handshake_age_s": None}
    body["peers"][0]["streams"] += [{"class": 1e300, "sent": 2**62, "delivered": 2**62, "lost": 2**62,
                                     "duplicates": 2**62}, {}]
    body["links"] = [link_status(name="x" * 63, interface="y" * 99, state="z" * 99, use="u" * 99,
                                 use_by="operator", price=1e300, tx_bytes=1e300, rx_bytes=2**62,
                                 counted_since_s=1e300, metered=True,
                                 quota=quota_status(used_bytes=1e18, bytes=1.23456789e18, ends_s=1e300)),
                     link_status(state="waiting", interface="i" * 99, reason="r" * 99),
                     link_status(name="\x1b[31m\u00e9", quota=quota_status(used_bytes=1e300, bytes=1)),
                     link_status(quota=quota_status(spent=True)), {}, 7]
    wild = way_status(**dict.fromkeys(way_status(), 1e300))
    sixteen = [path_status(id=i, link="w" * 63, local="[2001:db8:1234:1234:1234:1234:1234:1234]",
                           remote="[2001:db8:1234:1234:1234:1234:1234:1234]:65535",
                           observed="[2001:db8:1234:1234:1234:1234:1234:1234]:65535",
                           mtu=1e300, mtu_search="m" * 99, why="\x1b" * 99, tx=wild, rx=wild,
                           **{**huge, "mtu_probe_bytes": 1e300, "rtt_min_ms": 1e300})
               for i in range(16)]
    many = json.loads(json.dumps(body))
    many["peers"][0] |= {"paths": sixteen, "pairs": [
        {"a": a, "b": b, "tx": {"lift": 1e300, "verdict": "together"}, "rx": {"lift": 99.6}}
        for b in range(16) for a in range(b)]}
    for out in (shown(folder, body), shown(folder, body, "--all"), shown(folder, many, "--all")):
        for line in out.splitlines():
            assert len(line) <= 80, line
        assert all(c == "\n" or " " <= c <= "~" for c in out), out


@test
def status_survives_an_answer_of_the_wrong_shape(folder):
    for body in ({}, {"peers": 7, "drops": [], "links": 3},
                 {"peers": [None, [], {"paths": {}, "streams": 1, "pairs": {}}], "links": [None, []]},
                 {"peers": [{"paths": [None, 1, {"tx": 1, "rx": []}], "pairs": [None, {"tx": 1}]}]}):
        for line in (shown(folder, body) + shown(folder, body, "--all")).splitlines():
            assert len(line) <= 80, line


def on_a_terminal(folder, **env):
    with Daemon(folder, reply(status([path_status()]))) as daemon:
        ours, theirs = pty.openpty()
        subprocess.run([HAWSER, "status"], stdout=theirs, env=daemon.env | env, timeout=20, check=True)
        os.close(theirs)
        out = b""
        try:
            while piece := os.read(ours, 4096):
                out += piece
        except OSError:  # the end of a terminal, as Linux tells it
            pass
        os.close(ours)
        return out.decode()


@test
def colours_are_for_terminals_that_want_them(folder):
    inside("\x1b[32mup", on_a_terminal(folder, TERM="xterm"))
    inside("\x1b[32mup", on_a_terminal(folder, TERM="xterm", NO_COLOR=""))
    assert "\x1b" not in on_a_terminal(folder, TERM="xterm", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(folder, TERM="dumb")
    assert "\x1b" not in on_a_terminal(folder)


@test
def status_as_json_keeps_every_key(folder):
    body = status([path_status()])
    equal(json.loads(shown(folder, body, "--json")), body)
    equal(json.loads(shown(folder, body, "--json", "hw0")), body)


@test
def status_without_a_daemon_has_its_own_code(folder):
    env = {"HAWSER_RUNTIME_DIR": str(folder)}
    fails(NO_DAEMON, "hawser: status: no daemon runs", "status", env=env)
    fails(NO_DAEMON, "hawser: status: no daemon runs for device hw0", "status", "hw0", env=env)
    # A socket that a dead daemon left behind.
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(folder / "hw0.sock"))
    dead.close()
    fails(NO_DAEMON, "hawser: status: no daemon runs for device hw0", "status", "hw0", env=env)


@test
def status_wants_a_name_where_several_daemons_run(folder):
    with Daemon(folder, reply(status([])), "hw0") as daemon, Daemon(folder, reply(status([])), "hw1"):
        fails(USAGE, "several daemons run", "status", env=daemon.env)
        equal(run("status", "hw1", env=daemon.env)[0], OK)
        fails(USAGE, "status: ", "status", "../hw0", env=daemon.env)


@test
def a_refusal_or_nonsense_is_a_failure(folder):
    refusal = b'{"ok":false,"error":"not now"}\n'
    for answer, message in ((refusal, "not now"), (b"hello\n", "hawser: status: "), (b"", "status: ")):
        with Daemon(folder, answer) as daemon:
            fails(FAILURE, message, "status", env=daemon.env)


# --- reload and link ------------------------------------------------------------------------------

def answered(folder, answer, *args):
    """Code, output, messages, and what the daemon was asked."""
    with Daemon(folder, (json.dumps(answer) + "\n").encode()) as daemon:
        done = run(*args, env=daemon.env)
        return *done, json.loads(daemon.request or b"null")


def entry(text, line=0, column=0):
    return {"line": line, "column": column, "text": text}


@test
def reload_says_what_changed(folder):
    body = {"file": "/etc/h.yaml", "faults": [], "refused": [], "warnings": [entry("careful", 3, 4)],
            "changes": [entry("policy.mode: redundant becomes backup", 9, 2), entry("links.x: \x1b[2J")]}
    code, out, err, asked = answered(folder, {"ok": True, "reload": body}, "reload", "hw0")
    equal(asked, {"request": "reload"})
    equal(code, OK)
    equal(out, "/etc/h.yaml is in force: 2 changes\n  policy.mode: redundant becomes backup\n"
               "  links.x: ?[2J\n")
    equal(err, "/etc/h.yaml:3:4: warning: careful\n")
    body["changes"] = []
    equal(answered(folder, {"ok": True, "reload": body}, "reload")[1], "/etc/h.yaml says nothing new\n")


@test
def reload_says_why_not(folder):
    body = {"file": "/etc/h.yaml", "faults": [], "warnings": [], "changes": [entry("no matter")],
            "refused": [entry("tunnel.type: a device cannot", 3, 9)]}
    refusal = {"ok": False, "error": "a change needs a restart", "reload": body}
    code, out, err, _ = answered(folder, refusal, "reload")
    equal((code, out), (FAILURE, ""))
    equal(err, "/etc/h.yaml:3:9: not while running: tunnel.type: a device cannot\n"
               "hawser: reload: the daemon refused: a change needs a restart; nothing was changed\n")
    body |= {"refused": [], "faults": [entry("unknown key", 5, 1), entry("gone")]}
    refusal["error"] = "the file has 2 errors"
    code, out, err, _ = answered(folder, refusal, "reload")
    equal((code, out), (CONFIG, ""))
    inside("/etc/h.yaml:5:1: error: unknown key\n/etc/h.yaml: error: gone\n", err)
    code, out, err, _ = answered(folder, {"ok": False, "error": "busy"}, "reload")
    equal((code, err), (FAILURE, "hawser: reload: the daemon refused: busy\n"))
    equal(answered(folder, {"ok": True}, "reload")[0], FAILURE)
    fails(NO_DAEMON, "hawser: reload: no daemon runs", "reload",
          env={"HAWSER_RUNTIME_DIR": str(folder)})
    fails(USAGE, "'b' is too much", "reload", "a", "b")


@test
def link_asks_for_one_thing(folder):
    for args, do in ((("down", "lte"), "down"), (("up", "lte"), "up"), (("use", "lte", "never"), "never"),
                     (("use", "lte", "config", "--device", "hw0"), "config"),
                     (("--device=hw0", "use", "lte", "always"), "always"),
                     (("use", "--", "lte", "backup"), "backup")):
        answer = {"ok": True, "link": {"name": "lte", "text": "in use\x07"}}
        code, out, err, asked = answered(folder, answer, "link", *args)
        equal((code, out, err), (OK, "link lte: in use?\n", ""))
        equal(asked, {"request": "link", "link": "lte", "do": do})
    refusal = {"ok": False, "error": "no link is named 'lte': the links are dsl"}
    code, out, err, _ = answered(folder, refusal, "link", "down", "lte")
    equal((code, out), (FAILURE, ""))
    inside("no link is named 'lte'", err)


@test
def link_refuses_what_it_does_not_know(folder):
    env = {"HAWSER_RUNTIME_DIR": str(folder)}
    usage = "usage: hawser link down|up|use NAME"
    for args, message in (((), usage), (("down",), usage), (("down", "a", "b"), usage),
                          (("use", "a", "backup", "b"), usage),
                          (("frobnicate", "a"), "unknown word 'frobnicate': expected down, up or use"),
                          (("dwon", "a"), "unknown word 'dwon': did you mean 'down'?"),
                          (("use", "a"), "use a how? always, backup, never, or config"),
                          (("use", "a", "allways"), "unknown use 'allways': did you mean 'always'?"),
                          (("use", "a", "sometimes"), "'sometimes': expected always, backup, never"),
                          (("down", "a", "--device"), "--device: which one?"),
                          (("down", "a", "--devise", "hw0"), "did you mean '--device'?"),
                          (("down", "a b"), "no link's name"), (("down", ""), "no link's name"),
                          (("down", "x" * 64), "no link's name"), (("down", "d\u00fc"), "no link's name"),
                          (("down", "a", "--device", "../x"), "no device's name")):
        fails(USAGE, message, "link", *args, env=env)
    fails(NO_DAEMON, "hawser: link: no daemon runs for device hw0", "link", "up", "a", "--device", "hw0",
          env=env)


def main():
    global HAWSER, SOURCE
    parser = argparse.ArgumentParser()
    parser.add_argument("--hawser", required=True)
    parser.add_argument("--source", required=True, type=pathlib.Path)
    args = parser.parse_args()
    HAWSER, SOURCE = os.path.abspath(args.hawser), args.source
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, function in enumerate(TESTS, 1):
        name = function.__name__.replace("_", " ")
        try:
            with tempfile.TemporaryDirectory(prefix="hawser-cli-") as folder:
                function(pathlib.Path(folder))
            print(f"ok {number} - {name}", flush=True)
        except Skip as reason:
            print(f"ok {number} - {name} # SKIP {reason}", flush=True)
        except Exception as error:  # every kind of fault is one failed case
            failed += 1
            print(f"not ok {number} - {name}", flush=True)
            print("\n".join(f"# {line}" for line in f"{type(error).__name__}: {error}".splitlines()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
