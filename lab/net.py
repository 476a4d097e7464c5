"""What a network does to hosts: interfaces that come and go, addresses that change, NATs that
forget, routers that take less, and strangers who copy what passes.

Everything is undone by the end of the namespaces; nothing touches the machine itself."""

import ctypes
import json
import os
import socket
import struct
import threading
import time

from lab import LabError

CLONE_NEWNET = 0x40000000
ETH_P_ALL = 3
NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, NLM_F_REQUEST, NLM_F_ACK = 1, 2, 1, 4
_libc = ctypes.CDLL(None, use_errno=True)


# ---- interfaces and addresses -------------------------------------------------------------------


def plug(a, b, name, number, name_b=None, ipv6=False, mtu=None):
    """A pair of veth devices appears, addressed as Lab.link does: 10.1.NUMBER.1/24 on a, .2 on b, and
    with ipv6 fd01:NUMBER::1/64 and ::2. Deleting either end, unplug(), takes both away."""
    name_b = name_b or name
    a.ip(f"link add {name} type veth peer name {name_b} netns {b.sleeper.pid}")
    for host, device, last in ((b, name_b, 2), (a, name, 1)):
        host.sysctl(f"ipv6/conf/{device}/disable_ipv6", 0 if ipv6 else 1)
        if mtu:
            host.ip(f"link set {device} mtu {mtu}")
        host.ip(f"addr add 10.1.{number}.{last}/24 dev {device}")
        host.ip(f"link set {device} up")
        if ipv6:
            host.ip(f"addr add fd01:{number}::{last}/64 dev {device} nodad")


def unplug(host, name):
    """The device is gone at once, as a modem that is pulled out."""
    host.ip(f"link del {name}")


def rename(host, old, new):
    """Renames a device; it is down for a moment, as the kernel demands, and keeps its addresses."""
    host.ip(f"link set {old} down")
    host.ip(f"link set {old} name {new}")
    host.ip(f"link set {new} up")


def readdress(host, device, new, old=None, gap=0.0):
    """The device has the address `new` (with its prefix length) instead of `old`, or of all that it
    had; without any for `gap` seconds, as with DHCP, or with both for a moment when gap is None."""
    known = [f"{a['local']}/{a['prefixlen']}" for a in addresses(host, device)
             if (":" in a["local"]) == (":" in new)]
    nodad = " nodad" if ":" in new else ""
    if gap is None:
        host.ip(f"addr add {new} dev {device}{nodad}")
    for address in [old] if old else known:
        host.ip(f"addr del {address} dev {device}")
    if gap is not None:
        time.sleep(gap)
        host.ip(f"addr add {new} dev {device}{nodad}")


def addresses(host, device):
    """The device's addresses, IPv6's link-local ones left out: {"local": ..., "prefixlen": ...}."""
    info = json.loads(host.ip(f"-j addr show dev {device}"))[0]["addr_info"]
    return [a for a in info if a.get("local") and a["scope"] != "link"]


class Flapper:
    """Takes something down and up again so many times a second, until it is told to stop; then it is
    up. For what the shaper's own `flap` cannot do: interfaces, daemons' commands."""

    def __init__(self, down, up, hz, duty=0.5):
        self.down, self.up, self.hz, self.duty = down, up, hz, duty
        self.count = 0
        self.error = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        next_at = time.monotonic()
        try:
            while not self._stop.is_set():
                self.down()
                self.count += 1
                self._stop.wait(max(0, next_at + (1 - self.duty) / self.hz - time.monotonic()))
                self.up()
                next_at += 1 / self.hz
                self._stop.wait(max(0, next_at - time.monotonic()))
        except Exception as error:  # told by stop()
            self.error = error

    def stop(self):
        """Returns how many times it was down."""
        self._stop.set()
        self._thread.join(30)
        if self.error:
            raise self.error
        return self.count


# ---- what is between hosts ----------------------------------------------------------------------


def route_between(router, hosts):
    """Makes `router` forward; `hosts` are (host, next hop on the router) that send all else there."""
    router.sysctl("ipv4/ip_forward", 1)
    router.sysctl("ipv6/conf/all/forwarding", 1)
    for host, via in hosts:
        host.ip(f"route add default via {via}")


def limit_mtu(router, device, mtu, icmp=True):
    """What leaves the router by this device must fit into `mtu` bytes of IP. It says so by ICMP, as
    it should; without icmp it swallows larger packets without a word (a black hole)."""
    router.ip(f"link set {device} mtu {mtu}")
    rule = "" if icmp else """
            chain out {
                type filter hook output priority 0;
                icmp type destination-unreachable drop
                icmpv6 type packet-too-big drop
            }"""
    nft(router, "hole", "inet", rule)


def nft(host, table, family, body):
    """Replaces one table of the host's packet filter."""
    host.run(["nft", "-f", "-"], input=f"table {family} {table}\ndelete table {family} {table}\n"
             f"table {family} {table} {{\n{body}\n}}\n")


class Nat:
    """A router that hides what is behind it: UDP leaves by `device` from its own address and ports
    from `port` on."""

    def __init__(self, router, device, port=20000):
        self.router, self.device, self.port = router, device, port
        router.sysctl("ipv4/ip_forward", 1)
        self._translate()

    def _translate(self):
        nft(self.router, "nat", "ip", f"""
            chain out {{
                type nat hook postrouting priority 100;
                oifname "{self.device}" ip protocol udp masquerade to :{self.port}-{self.port + 99}
            }}""")

    def rebind(self, port=None):
        """Forgets every translation, and makes new ones from other ports: the next packet from inside
        has another, and none to the old one passes. No interface goes down, nothing else is lost."""
        self.port = port or self.port + 1000
        self._translate()
        in_netns(self.router, forget_translations)

    def owns(self, port):
        return self.port <= port < self.port + 100


def forget_translations():
    """Deletes all of conntrack's entries in the namespace of the caller, as `conntrack -F` does."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as nfnetlink:
        nfnetlink.bind((0, 0))
        nfnetlink.settimeout(5)
        message = struct.pack("=IHHIIBBH", 20, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
                              NLM_F_REQUEST | NLM_F_ACK, 1, 0, socket.AF_INET, 0, 0)
        nfnetlink.send(message)
        error = struct.unpack_from("=i", nfnetlink.recv(4096), 16)[0]
    if error:
        raise LabError(f"cannot forget translations: {os.strerror(-error)}")


def in_netns(host, function):
    """Runs a function of ours in the host's network namespace, in a thread of its own; returns what it
    returns. Sockets that it makes stay in that namespace."""
    result = []

    def run():
        try:
            with open(host.netns, "rb") as netns:
                if _libc.setns(netns.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            result.append((True, function()))
        except BaseException as error:  # handed to the caller
            result.append((False, error))
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    good, value = result[0]
    if not good:
        raise value
    return value


class Relay:
    """A stranger who overhears UDP datagrams to one address and sends the host there copies of them
    from an address of his own, each once, as soon as he has it.

    `tap` and `device` are the host and its device where he listens: in front of a link's delay his copies
    come before what they were made from, behind it after. `stranger` is the host that he sends from."""

    def __init__(self, tap, device, stranger, source, target, target_port):
        self.target = (target, target_port)
        self.copied = self.answered = self.answer_bytes = self.copied_bytes = 0
        self._stop = False

        def listen():
            sniffer = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
            sniffer.bind((device, ETH_P_ALL))
            sniffer.settimeout(0.2)
            return sniffer

        def speak():
            mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            mouth.bind((source, 0))
            mouth.setblocking(False)
            return mouth
        self.sniffer = in_netns(tap, listen)
        self.mouth = in_netns(stranger, speak)
        self.source = self.mouth.getsockname()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _payload(self, packet):
        """The UDP payload of an IPv4 packet to the target; None for anything else."""
        if len(packet) < 28 or packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_UDP:
            return None
        start = (packet[0] & 15) * 4
        if socket.inet_ntoa(packet[16:20]) != self.target[0] or \
                struct.unpack_from(">H", packet, start + 2)[0] != self.target[1] or \
                socket.inet_ntoa(packet[12:16]) == self.source[0]:
            return None
        return packet[start + 8:struct.unpack_from(">H", packet, start + 4)[0] + start]

    def _run(self):
        while not self._stop:
            try:
                payload = self._payload(self.sniffer.recv(4096))
                if payload:
                    self.mouth.sendto(payload, self.target)
                    self.copied += 1
                    self.copied_bytes += len(payload)
            except TimeoutError:
                pass
            except OSError:
                if self._stop:
                    return
            self._hear()

    def _hear(self):
        while True:
            try:
                self.answer_bytes += len(self.mouth.recv(4096))
                self.answered += 1
            except OSError:
                return

    def stop(self):
        """Returns self, for the figures: copied, copied_bytes, answered, answer_bytes."""
        self._stop = True
        self.thread.join(5)
        self._hear()
        self.sniffer.close()
        self.mouth.close()
        return self
