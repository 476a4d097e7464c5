"""Hosts, links and daemons on one machine.

        host a                                    host b
    +-----------+      +--------------+      +-----------+
    |     wan1 =========  hw-shaper   ========= wan1     |
    | hw0  ...  |      |  (user space) |     |  ...  hw0 |
    |     wan3 =========              ========= wan3     |
    +-----------+      +--------------+      +-----------+
     network namespace                       network namespace

A host is a network namespace that a sleeping process of ours keeps alive. It has no name, so there
is nothing to clean up but processes, and those die with us: each asks the kernel to kill it when its
parent is gone. A link is a pair of TAP devices with the simulator's link model between them, run in
real time by hw-shaper. Every command that runs on a host is bounded in time.

Only Python's standard library is used. Root is not needed where user namespaces are allowed: see
enter().
"""

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SANITIZER_NOISE = re.compile(r"(Address|Leak|UndefinedBehavior)Sanitizer|runtime error:")
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class LabError(Exception):
    """Something of the lab itself went wrong: no statement about what is tested."""


def cannot_run():
    """Why a lab cannot be made by who we are now; None when it can."""
    try:
        with open("/dev/net/tun", "r+b", buffering=0):
            pass
    except OSError as error:
        return f"/dev/net/tun: {error.strerror}"
    for tool in ("unshare", "nsenter", "ip", "ping"):
        if not shutil.which(tool):
            return f"{tool} is not installed"
    done = subprocess.run(["unshare", "-n", "true"], stderr=subprocess.PIPE, text=True, timeout=10)
    return None if done.returncode == 0 else f"no network namespaces: {done.stderr.strip()}"


def enter():
    """Call it first. As an ordinary user, runs the program again as root of a user namespace of
    its own. Returns why no lab can be had, or None."""
    if os.geteuid() != 0 and "HW_LAB_INSIDE" not in os.environ:
        inside = ["unshare", "-U", "-r", "-n", "-m", "--"]
        done = subprocess.run(inside + ["true"], stderr=subprocess.PIPE, text=True, timeout=10)
        if done.returncode != 0:
            return f"not root, and no user namespaces: {done.stderr.strip()}"
        os.environ["HW_LAB_INSIDE"] = "1"
        os.execvp(inside[0], inside + [sys.executable, *sys.argv])
    return cannot_run()


def die_with_parent():
    """In a child, before exec."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def wait_until(check, timeout, what, pause=0.05):
    """Returns what check() gives as soon as it is true; LabError after `timeout` seconds. `what` is
    a text, or a function that gives it then."""
    end = time.monotonic() + timeout
    while True:
        result = check()
        if result:
            return result
        if time.monotonic() > end:
            raise LabError(f"not within {timeout} s: {what() if callable(what) else what}")
        time.sleep(pause)


def is_sanitized(build):
    """Whether this build runs under ASan or UBSan, where memory and speed say nothing."""
    with open(os.path.join(build, "meson-info", "intro-buildoptions.json")) as file:
        return any(o["name"] == "b_sanitize" and o["value"] != "none" for o in json.load(file))


class Host:
    """A network namespace."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        # The sleeper says so when it is in its namespace; nobody must look at it before.
        self.sleeper = lab.spawn(["unshare", "-n", "sh", "-c", "echo in; exec sleep infinity"],
                                 stdout=subprocess.PIPE)
        if self.sleeper.stdout.readline().strip() != "in":
            raise LabError(f"host {name}: no network namespace")
        self.netns = f"/proc/{self.sleeper.pid}/ns/net"
        for key, value in (("ipv6/conf/all/accept_ra", 0), ("ipv6/conf/default/accept_ra", 0),
                           ("ipv6/conf/default/router_solicitations", 0),
                           ("ipv6/conf/default/accept_dad", 0)):
            self.sysctl(key, value)
        self.ip("link set lo up")

    def command(self, args):
        return ["nsenter", f"--net={self.netns}", "--", *map(str, args)]

    def run(self, args, timeout=10, check=True, env=None, input=None):
        """Runs a command to its end; returns the CompletedProcess with output and errors as text."""
        try:
            done = subprocess.run(self.command(args), capture_output=True, text=True,
                                  timeout=timeout, input=input, errors="replace",
                                  env={**os.environ, **(env or {})}, preexec_fn=die_with_parent,
                                  stdin=None if input is not None else subprocess.DEVNULL)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"host {self.name}: {' '.join(map(str, args))}: took more than "
                           f"{timeout} s") from error
        if check and done.returncode != 0:
            raise LabError(f"host {self.name}: {' '.join(map(str, args))}: exit {done.returncode}: "
                           f"{(done.stderr or done.stdout).strip()}")
        return done

    def spawn(self, args, **options):
        return self.lab.spawn(self.command(args), **options)

    def ip(self, words):
        return self.run(["ip", *words.split()]).stdout

    def sysctl(self, key, value):
        self.run(["sh", "-c", f"echo {value} >/proc/sys/net/{key}"])

    def counters(self, device):
        """The kernel's counters of a device: {"rx": {...}, "tx": {...}}."""
        return json.loads(self.ip(f"-j -s link show dev {device}"))[0]["stats64"]

    def ping(self, address, count=3, interval=0.2, size=56, timeout=2, extra=()):
        """Pings to the end; returns a PingResult."""
        pinger = Pinger(self, address, count=count, interval=interval, size=size, timeout=timeout,
                        extra=extra)
        return pinger.wait(count * interval + timeout + 10)


class Link:
    """Two TAP devices, called alike on both hosts, and what lies between them."""

    def __init__(self, lab, name, a, b, params):
        self.lab, self.name, self.a, self.b = lab, name, a, b
        lab.shaper.ask(f"link {name} {a.netns} {name} {b.netns} {name} {params}")
        self.addresses = []
        self.macs = [json.loads(host.ip(f"-j link show dev {name}"))[0]["address"] for host in (a, b)]
        for host in (a, b):
            self._bring_up(host)

    def _bring_up(self, host):
        # Room for what comes while the shaper waits for a processor.
        host.ip(f"link set {self.name} txqueuelen 4096 up")

    def address(self, prefix_a, prefix_b):
        """Gives both ends an address, with its prefix length."""
        self.addresses.append((prefix_a, prefix_b))
        for host, prefix in ((self.a, prefix_a), (self.b, prefix_b)):
            host.ip(f"addr add {prefix} dev {self.name}" + (" nodad" if ":" in prefix else ""))

    def set(self, params, direction=""):
        """Changes the link: "loss 20%", "down", ... in one direction ("ab", "ba") or in both."""
        self.lab.shaper.ask(f"set {self.name}{'.' + direction if direction else ''} {params}")

    def down(self):
        self.set("down")

    def up(self):
        self.set("up")

    def stats(self):
        return self.lab.shaper.stats()["links"][self.name]

    def bytes(self):
        """Offered to the link so far, both directions, IP packets."""
        stats = self.stats()
        return stats["ab"]["offered_bytes"] + stats["ba"]["offered_bytes"]

    def flap(self, hz, share_up=0.5, direction=""):
        """Cut in silence and restored so many times a second by the shaper; 0 ends it."""
        self.set(f"flap {hz},{share_up}", direction)

    def unplug(self, side):
        """Deletes the device of side "a" or "b"; recreate() plugs it in again."""
        (self.a if side == "a" else self.b).ip(f"link del {self.name}")

    def recreate(self, side):
        """Makes the device of side "a" or "b" again after it was deleted, as it was."""
        host = self.a if side == "a" else self.b
        self.lab.shaper.ask(f"attach {self.name}.{side}")
        # The same card as before: else its neighbours would look for the old one for ten seconds.
        host.ip(f"link set {self.name} address {self.macs[0 if side == 'a' else 1]}")
        self._bring_up(host)
        for prefix in self.addresses:
            address = prefix[0 if side == "a" else 1]
            host.ip(f"addr add {address} dev {self.name}" + (" nodad" if ":" in address else ""))


class Shaper:
    def __init__(self, lab, seed):
        path = os.path.join(lab.dir, "shaper.sock")
        self.log = open(os.path.join(lab.dir, "shaper.log"), "w+")
        self.process = lab.spawn([os.path.join(lab.build, "lab", "hw-shaper"), "--seed", str(seed),
                                  path], stderr=self.log)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(10)

        def connected():
            if self.process.poll() is not None:
                raise LabError("the shaper does not start: " + open(self.log.name).read())
            try:
                self.socket.connect(path)
                return True
            except OSError:
                return False
        wait_until(connected, 5, "the shaper's socket", pause=0.005)

    def ask(self, line):
        self.socket.send(line.encode())
        answer = self.socket.recv(1 << 17).decode().strip()
        if answer.startswith("error"):
            raise LabError(f"shaper: {line}: {answer}")
        return answer

    def stats(self):
        return json.loads(self.ask("stats"))


class PingResult:
    """What became of a run of pings."""

    def __init__(self, sent, rtts, duplicates):
        self.sent = sent
        self.rtts = rtts                # sequence number -> ms, first answers only
        self.duplicates = duplicates    # further answers, which the application saw
        self.received = len(rtts)
        self.lost = sent - len(rtts)

    @property
    def loss(self):
        return self.lost / self.sent if self.sent else 0.0

    def quantile(self, share):
        values = sorted(self.rtts.values())
        return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")

    def lost_numbers(self):
        return [n for n in range(1, self.sent + 1) if n not in self.rtts]


class Pinger:
    """Debian's ping, running; a thread reads its answers as they come."""

    ANSWER = re.compile(r"icmp_seq=(\d+) .*time=([\d.]+) ms(.*DUP)?")
    SENT = re.compile(r"(\d+) packets transmitted")

    def __init__(self, host, address, count=None, interval=0.01, size=56, timeout=2, extra=()):
        # -l 3: a ping that is late does not delay those that follow, so the rate is what it says.
        args = ["ping", "-n", "-l", 3, "-i", interval, "-s", size, "-W", timeout]
        if count:
            args += ["-c", count]
        self.process = host.spawn([*args, *extra, address], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT)
        self.rtts = {}
        self.highest = 0
        self.duplicates = 0
        self.sent = None
        self.other = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        for line in self.process.stdout:
            self._line(line)

    def _line(self, line):
        answer = self.ANSWER.search(line)
        if answer:
            number = int(answer.group(1))
            # ping numbers modulo 65536; no run of ours is so long that it matters.
            if answer.group(3) or number in self.rtts:
                self.duplicates += 1
            else:
                self.rtts[number] = float(answer.group(2))
                self.highest = max(self.highest, number)
            return
        sent = self.SENT.search(line)
        if sent:
            self.sent = int(sent.group(1))
        self.other.append(line.strip())

    def wait(self, timeout):
        """Until it ends by itself; returns the PingResult."""
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            raise LabError(f"ping did not end within {timeout} s") from error
        self.thread.join(5)
        if self.sent is None:
            raise LabError("ping: " + "; ".join(self.other[-3:]))
        return PingResult(self.sent, self.rtts, self.duplicates)


class Lab:
    """Everything of one experiment. Use it as a context manager: leaving it ends all of it."""

    def __init__(self, build, seed=1):
        self.build = os.path.abspath(build)
        self.processes = []
        self.daemons = []
        self.hosts = {}
        self.links = {}
        remove_stale()
        self.dir = tempfile.mkdtemp(prefix=f"hw-lab-{os.getpid()}-")
        self._shaper = None
        self.seed = seed

    def __enter__(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _interrupt)
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        # A second Ctrl-C must not stop the cleaning up.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        end = time.monotonic() + 3
        for process in self.processes:
            try:
                process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.processes.clear()
        shutil.rmtree(self.dir, ignore_errors=True)
        signal.signal(signal.SIGINT, before)

    def spawn(self, args, **options):
        """Starts a process that cannot outlive us, out of the reach of the terminal's Ctrl-C."""
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("text", True)
        env = {**os.environ, **options.pop("env", {})}
        process = subprocess.Popen(list(map(str, args)), env=env, preexec_fn=die_with_parent,
                                   start_new_session=True, **options)
        self.processes.append(process)
        return process

    @property
    def shaper(self):
        if not self._shaper:
            self._shaper = Shaper(self, self.seed)
        return self._shaper

    def host(self, name):
        self.hosts[name] = Host(self, name)
        return self.hosts[name]

    def link(self, name, a, b, params="", number=None, ipv6=False):
        """A link from a to b; numbered, with 10.1.NUMBER.1/24 on a and .2 on b, and likewise
        fd01:NUMBER::1/64 with ipv6."""
        link = Link(self, name, a, b, params)
        number = len(self.links) + 1 if number is None else number
        if not ipv6:
            for host in (a, b):
                host.sysctl(f"ipv6/conf/{name}/disable_ipv6", 1)
        link.address(f"10.1.{number}.1/24", f"10.1.{number}.2/24")
        if ipv6:
            link.address(f"fd01:{number}::1/64", f"fd01:{number}::2/64")
        self.links[name] = link
        return link

    def veth(self, name, a, b, number):
        """A bare pair of veth devices with nothing in between, addressed as link() does."""
        a.ip(f"link add {name} type veth peer name {name} netns {b.sleeper.pid}")
        for host, last in ((a, 1), (b, 2)):
            host.sysctl(f"ipv6/conf/{name}/disable_ipv6", 1)
            host.ip(f"addr add 10.1.{number}.{last}/24 dev {name}")
            host.ip(f"link set {name} up")


def _interrupt(_number, _frame):
    raise KeyboardInterrupt


def remove_stale():
    """Folders of runs that were killed before they could clean up."""
    for name in os.listdir(tempfile.gettempdir()):
        match = re.match(r"hw-lab-(\d+)-", name)
        path = os.path.join(tempfile.gettempdir(), name)
        if match and not os.path.exists(f"/proc/{match.group(1)}") and \
                os.stat(path).st_uid == os.geteuid():
            shutil.rmtree(path, ignore_errors=True)
