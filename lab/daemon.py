"""Daemons of Hawser on the lab's hosts, with the configuration and secrets made for them."""

import json
import os
import signal
import subprocess

from lab import SANITIZER_NOISE, LabError, die_with_parent, wait_until

PORT = 8420
TUNNEL = {"a": ("10.88.0.1", "fd88::1"), "b": ("10.88.0.2", "fd88::2")}


def as_yaml(value, indent=0):
    """A configuration of mappings, lists and scalars as YAML text, laid out as a person would."""
    pad = "  " * indent
    lines = []
    for key, item in value.items():
        if isinstance(item, dict):
            lines += [f"{pad}{key}:", as_yaml(item, indent + 1)]
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            lines.append(f"{pad}{key}:")
            lines += [f"{pad}  - {_flow(entry)}" for entry in item]
        else:
            lines.append(f"{pad}{key}: {_flow(item)}")
    return "\n".join(lines)


def _flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return json.dumps(value) if isinstance(value, (str, bool)) else str(value)


class Daemon:
    """`hawser run` on a host."""

    def __init__(self, host, config, env=None):
        self.host, self.lab, self.config = host, host.lab, config
        self.env = env or {}
        self.dir = os.path.join(self.lab.dir, f"{host.name}-{len(self.lab.daemons)}")
        os.makedirs(os.path.join(self.dir, "state"), mode=0o700)
        os.makedirs(os.path.join(self.dir, "run"), mode=0o700)
        self.lab.daemons.append(self)
        self.program = os.path.join(self.lab.build, "src", "cli", "hawser")
        self.process = None
        self.log_path = os.path.join(self.dir, "log")

    @property
    def device(self):
        return self.config["tunnel"]["device"]

    def environment(self):
        return {**self.env, "HAWSER_STATE_DIR": os.path.join(self.dir, "state"),
                "HAWSER_RUNTIME_DIR": os.path.join(self.dir, "run")}

    def write(self):
        """Writes the configuration file; returns its name."""
        path = os.path.join(self.dir, "hawser.yaml")
        with open(path, "w") as file:
            file.write(as_yaml(self.config) + "\n")
        return path

    def start(self, wrapper=()):
        """Starts the daemon and waits until its tunnel device is there."""
        path = self.write()
        log = open(self.log_path, "a")
        self.process = self.host.spawn([*wrapper, self.program, "run", path], stdout=log, stderr=log,
                                       env=self.environment())
        log.close()

        def there():
            if self.process.poll() is not None:
                raise LabError(f"hawser on {self.host.name} ended at once, exit "
                               f"{self.process.returncode}:\n{self.log()}")
            return self.has_device()
        wait_until(there, 10, lambda: f"hawser on {self.host.name} makes {self.device}\n"
                   f"{self.log()}", pause=0.02)
        return self

    def has_device(self):
        done = self.host.run(["ip", "-j", "link", "show", "dev", self.device, "up"], check=False)
        return done.returncode == 0 and self.device in done.stdout

    def stop(self, number=signal.SIGTERM, timeout=10):
        """Ends it and returns its exit code."""
        self.process.send_signal(number)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise LabError(f"hawser on {self.host.name} does not end on signal {number}") from error

    def kill(self):
        self.process.kill()
        self.process.wait()

    def log(self, lines=60):
        try:
            with open(self.log_path, errors="replace") as file:
                return "".join(file.readlines()[-lines:])
        except FileNotFoundError:
            return ""

    def complaints(self):
        """Lines of the log that only a sanitizer writes, with what follows."""
        text = self.log(lines=1000000)
        found = SANITIZER_NOISE.search(text)
        return text[found.start():][:6000] if found else ""

    def status(self):
        """What `hawser status --json` says."""
        return json.loads(self.ask("status", "--json", self.device).stdout)

    def ask(self, *args, check=True):
        return self.host.run([self.program, *args], env=self.environment(), check=check)

    def peer(self):
        return self.status()["peers"][0]

    def paths(self):
        """Path by the name of its link; those without a link's name are left out."""
        return {path["link"]: path for path in self.peer()["paths"]}

    def wait_up(self, paths=None, timeout=10):
        """Until the session is up, and so many of its paths."""
        def up():
            peer = self.peer()
            if peer["state"] != "up":
                return False
            return paths is None or paths <= sum(p["state"] == "up" for p in peer["paths"])
        wait_until(up, timeout, lambda: f"hawser on {self.host.name} is up with "
                   f"{'any' if paths is None else paths} paths\n{self.log()}")
        return self

    def rss_bytes(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise LabError("no VmRSS")

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def secret_file(lab, name="lab"):
    """A fresh shared secret, as `hawser gensecret` makes it; returns the file's name."""
    path = os.path.join(lab.dir, f"{name}.secret")
    program = os.path.join(lab.build, "src", "cli", "hawser")
    if not os.path.exists(program):
        raise LabError(f"{program} is not built")
    done = subprocess.run([program, "gensecret"], capture_output=True, text=True, timeout=10,
                          preexec_fn=die_with_parent)
    if done.returncode != 0:
        raise LabError(f"hawser gensecret: {done.stderr}")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(done.stdout)
    return path


def configs(lab, links, secret, tunnel=None, mode="redundant", options=None, link_options=None,
            ipv6_links=(), same_secret=True):
    """The two configurations: a calls, b waits. `links` are lab.Link or names of links with the
    addresses that Lab.link gives. `link_options` maps a link's name to keys of its own."""
    def make(side):
        address4, address6 = TUNNEL[side]
        config = {
            "tunnel": {"device": "hw0", "type": "tap",
                       "address": [f"{address4}/24", f"{address6}/64"], **(tunnel or {})},
            "identity": {"secret-file": secret if same_secret or side == "a"
                         else secret_file(lab, "other")},
            "links": [],
            "policy": {"mode": mode},
            **(options or {}),
        }
        if side == "b":
            config["listen"] = PORT
        for number, link in enumerate(links, 1):
            name = getattr(link, "name", link)
            entry = {"name": name, "interface": name, **(link_options or {}).get(name, {})}
            if side == "a":
                entry["endpoint"] = [f"[fd01:{number}::2]:{PORT}" if name in ipv6_links
                                     else f"10.1.{number}.2:{PORT}"]
            config["links"].append(entry)
        return config
    return make("a"), make("b")


def start_pair(lab, a, b, links, wait=True, **options):
    """Both daemons with a fresh secret; returns (on a, on b) once every path is up."""
    config_a, config_b = configs(lab, links, secret_file(lab), **options)
    on_b = Daemon(b, config_b).start()
    on_a = Daemon(a, config_a).start()
    if wait:
        on_a.wait_up(paths=len(links))
        on_b.wait_up(paths=len(links))
    return on_a, on_b
