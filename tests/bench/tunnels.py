"""The tunnels that are compared, each between two hosts of the lab and with the same interface:

    start()     brings the tunnel up; raises LabError when it cannot
    address     of host b inside the tunnel
    processes   whose CPU time and memory are the tunnel's own: [(host, Popen)]
    about       what exactly was measured, for the reader of the table
"""

import os
import subprocess

import lab as lab_module
from daemon import Daemon, configs, secret_file
from lab import LabError, die_with_parent

HANDSHAKE_SECONDS = 30


class Tunnel:
    def __init__(self, lab, a, b, endpoint):
        self.lab, self.a, self.b = lab, a, b
        self.endpoint = endpoint  # of host b, on the network below
        self.processes = []
        self.about = ""

    def spawn(self, host, args, name):
        log = open(os.path.join(self.lab.dir, f"{self.name}-{host.name}-{name}.log"), "w+")
        process = host.spawn(args, stdout=log, stderr=log)
        self.processes.append((host, process))
        return process

    def wait_ready(self):
        def answers():
            for host, process in self.processes:
                if process.poll() is not None:
                    raise LabError(f"{self.name} on {host.name} ended, exit {process.returncode}:\n"
                                   + self.logs())
            done = self.a.run(["ping", "-n", "-c", 1, "-W", 0.5, self.address], check=False)
            return done.returncode == 0
        lab_module.wait_until(answers, HANDSHAKE_SECONDS,
                              lambda: f"{self.name} answers\n{self.logs()}", 0.2)

    def logs(self):
        text = ""
        for name in sorted(os.listdir(self.lab.dir)):
            if name.startswith(self.name + "-") and name.endswith(".log"):
                with open(os.path.join(self.lab.dir, name), errors="replace") as file:
                    text += f"--- {name}\n" + "".join(file.readlines()[-15:])
        return text

    def cpu_seconds(self):
        return sum(cpu_seconds(process.pid) for _, process in self.processes)

    def rss_bytes(self):
        """Of the larger of the two hosts."""
        hosts = {}
        for host, process in self.processes:
            hosts[host.name] = hosts.get(host.name, 0) + rss_bytes(process.pid)
        return max(hosts.values(), default=0)


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_bytes(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    return 0


class Bare(Tunnel):
    name = "bare"

    def start(self):
        self.address = self.endpoint
        self.about = "the veth pair itself"
        self.wait_ready()


class Forward(Tunnel):
    """What any tunnel in user space costs here: lab/forward.c."""

    name = "forward only"

    def start(self):
        program = os.path.join(self.lab.build, "lab", "hw-forward")
        for host, last, other in ((self.a, 1, "10.1.1.2"), (self.b, 2, "10.1.1.1")):
            self.spawn(host, [program, "fwd0", 7777, other], "forward")
            lab_module.wait_until(lambda h=host: h.run(["ip", "link", "show", "dev", "fwd0"],
                                                       check=False).returncode == 0, 5, "fwd0")
            host.ip(f"addr add 10.97.0.{last}/24 dev fwd0")
            # What is left of 1500 for its frames: nothing is cut into pieces.
            host.ip("link set fwd0 mtu 1458 up")
        self.address = "10.97.0.2"
        self.about = "tap to UDP and back, nothing else: what this machine asks of any tunnel"
        self.wait_ready()


class Hawser(Tunnel):
    def __init__(self, lab, a, b, links, suite):
        super().__init__(lab, a, b, None)
        self.links, self.suite = links, suite
        self.name = "hawser " + {"chacha20-poly1305": "ChaCha20", "aes-256-gcm": "AES"}[suite]

    def start(self, net="10.88.0", device="hw0", port=8420):
        config_a, config_b = configs(self.lab, self.links, secret_file(self.lab, self.suite),
                                     options={"suite": self.suite})
        for config, last in ((config_a, 1), (config_b, 2)):
            config["tunnel"].update({"device": device, "address": [f"{net}.{last}/24"]})
        config_b["listen"] = port
        for link in config_a["links"]:
            link["endpoint"] = [e.rsplit(":", 1)[0] + f":{port}" for e in link["endpoint"]]
        self.daemons = [Daemon(self.b, config_b).start(), Daemon(self.a, config_a).start()]
        self.processes = [(d.host, d.process) for d in self.daemons]
        self.address = f"{net}.2"
        self.about = f"tap, {self.suite}, mode redundant over {len(self.links)} link(s)"
        self.daemons[1].wait_up(paths=len(self.links), timeout=15)
        self.wait_ready()


class OpenVpn(Tunnel):
    """Debian's OpenVPN, one tap tunnel, TLS with self-signed certificates."""

    def __init__(self, lab, a, b, endpoint, cipher, number):
        super().__init__(lab, a, b, endpoint)
        self.cipher, self.number = cipher, number
        self.name = "openvpn " + {"CHACHA20-POLY1305": "ChaCha20", "AES-256-GCM": "AES"}[cipher]

    def certificate(self, host):
        path = os.path.join(self.lab.dir, f"ovpn{self.number}-{host.name}")
        local(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
               "-nodes", "-days", "2", "-subj", f"/CN={host.name}", "-keyout", path + ".key",
               "-out", path + ".crt"])
        text = local(["openssl", "x509", "-in", path + ".crt", "-noout", "-fingerprint", "-sha256"])
        return path, text.strip().split("=", 1)[1]

    def start(self):
        net, port = f"10.{90 + self.number}.0", 1190 + self.number
        certificates = {host.name: self.certificate(host) for host in (self.a, self.b)}
        for host, peer, last, role in ((self.b, self.a, 2, "server"), (self.a, self.b, 1, "client")):
            path = certificates[host.name][0]
            args = ["openvpn", "--dev", f"ovpn{self.number}", "--dev-type", "tap",
                    "--ifconfig", f"{net}.{last}", "255.255.255.0", "--proto", "udp",
                    "--port", port, f"--tls-{role}", "--cert", path + ".crt", "--key",
                    path + ".key", "--peer-fingerprint", certificates[peer.name][1],
                    "--data-ciphers", self.cipher, "--disable-dco", "--verb", "3"]
            args += ["--dh", "none"] if role == "server" else ["--remote", self.endpoint]
            self.spawn(host, args, "openvpn")
        self.address = f"{net}.2"
        self.about = f"tap, TLS, {self.cipher}, data channel offload off"
        self.wait_ready()


class WireGuardGo(Tunnel):
    """Debian's wireguard-go: layer 3, in user space."""

    name = "wireguard-go"

    def start(self):
        # Its control sockets lie in one folder for all hosts, so that names must differ.
        names = {host.name: f"hwg{os.getpid() % 100000}{host.name}" for host in (self.a, self.b)}
        keys = {host.name: local(["wg", "genkey"]).strip() for host in (self.a, self.b)}
        for host in (self.a, self.b):
            self.spawn(host, ["wireguard-go", "--foreground", names[host.name]], "wireguard-go")
        for host, peer, last in ((self.a, self.b, 1), (self.b, self.a, 2)):
            device = names[host.name]
            key_file = os.path.join(self.lab.dir, f"wg-{host.name}.key")
            with open(os.open(key_file, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(keys[host.name])
            public = local(["wg", "pubkey"], keys[peer.name] + "\n").strip()
            lab_module.wait_until(
                lambda d=device, h=host: h.run(["wg", "show", d], check=False).returncode == 0, 5,
                "wireguard-go answers wg")
            words = ["wg", "set", device, "listen-port", 51820, "private-key", key_file,
                     "peer", public, "allowed-ips", "10.95.0.0/24"]
            if host is self.a:
                words += ["endpoint", f"{self.endpoint}:51820"]
            # Now and then it finds its own IPv4 port taken by its IPv6 one; asked again it does not.
            lab_module.wait_until(lambda w=words, h=host: h.run(w, check=False).returncode == 0, 5,
                                  "wireguard-go takes its configuration")
            host.ip(f"addr add 10.95.0.{last}/24 dev {device}")
            host.ip(f"link set {device} mtu 1420 up")
        self.address = "10.95.0.2"
        self.about = "tun, MTU 1420"
        self.wait_ready()


class Recipe(Tunnel):
    """The recipe of 2011: three OpenVPN tunnels, and a fourth that encrypts, whose packets iptables'
    TEE copies over the three. Where it had to differ from the text:
    - an unused bridge without ARP is dummy0, as not every kernel has the dummy driver;
    - each tunnel is bound to its own link by its addresses (the text leaves routing to the reader);
    - cipher AES-256-CBC in place of that day's default, Blowfish, which OpenSSL 3 lacks;
    - comp-lzo needs --allow-compression yes."""

    name = "recipe"

    def __init__(self, lab, a, b, links):
        super().__init__(lab, a, b, None)
        self.links = links

    def key(self, number):
        path = os.path.join(self.lab.dir, f"openvpn{number}.key")
        local(["openvpn", "--genkey", "secret", path])
        return path

    def start(self):
        below = [(101 + i, link, self.key(101 + i)) for i, link in enumerate(self.links)]
        main_key = self.key(88)
        for host, mine, other in ((self.b, 1, 2), (self.a, 2, 1)):
            side = 1 if host is self.b else 0
            for number, link, key in below:
                local_ip = link.addresses[0][side].split("/")[0]
                args = ["openvpn", "--port", 20000 + number, "--dev", f"tap{number}",
                        "--ifconfig", f"172.31.{number}.{mine}", "255.255.255.0", "--secret", key,
                        "--cipher", "none", "--local", local_ip, "--verb", "3"]
                if host is self.a:
                    args += ["--remote", link.addresses[0][1].split("/")[0], 20000 + number]
                self.spawn(host, args, f"openvpn{number}")
        for host, mine, other in ((self.b, 1, 2), (self.a, 2, 1)):
            for number, _, _ in below:
                lab_module.wait_until(lambda h=host, n=number: h.run(
                    ["ip", "link", "show", "dev", f"tap{n}", "up"], check=False).stdout, 10,
                    lambda n=number: f"tap{n}\n{self.logs()}")
            host.ip("link add dummy0 type bridge")
            host.ip("link set dummy0 arp off up")
            host.ip(f"addr add 172.31.255.{mine}/32 dev dummy0")
            host.ip(f"route add 172.31.255.{other} dev dummy0")
            for number, _, _ in below:
                host.run(["iptables", "-t", "mangle", "-A", "OUTPUT", "-d", f"172.31.255.{other}",
                          "-o", "dummy0", "-j", "TEE", "--gateway", f"172.31.{number}.{other}"])
        for host, mine, other in ((self.b, 1, 2), (self.a, 2, 1)):
            args = ["openvpn", "--local", f"172.31.255.{mine}", "--port", 20088, "--dev", "tap088",
                    "--ifconfig", f"172.31.88.{mine}", "255.255.255.0", "--secret", main_key,
                    "--mute-replay-warnings", "--replay-window", 512, 10, "--tun-mtu", 1500,
                    "--fragment", 1372, "--mssfix", 1282, "--passtos",
                    "--comp-lzo", "yes", "--allow-compression", "yes",
                    "--cipher", "AES-256-CBC", "--verb", "3"]
            if host is self.a:
                args += ["--remote", f"172.31.255.{other}", 20088]
            self.spawn(host, args, "openvpn088")
        self.address = "172.31.88.1"
        self.about = "four OpenVPNs a host and iptables TEE"
        self.wait_ready()


def local(args, text=None):
    done = subprocess.run(args, input=text, capture_output=True, text=True, timeout=30,
                          preexec_fn=die_with_parent)
    if done.returncode != 0:
        raise LabError(f"{args[0]}: {done.stderr or done.stdout}")
    return done.stdout
