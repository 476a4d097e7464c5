"""What several lab tests ask of traffic and of daemons."""

import json
import os
import subprocess
import time

from tap import expect

SENDER = """
import hashlib, os, socket, sys
s = socket.create_connection((sys.argv[1], 7000), timeout=20)
data = os.urandom(int(sys.argv[2]))
s.sendall(data); s.shutdown(socket.SHUT_WR)
print(s.recv(64).decode(), hashlib.sha256(data).hexdigest(), s.getsockopt(6, 2))
"""
RECEIVER = """
import hashlib, socket
s = socket.create_server(("::", 7000), family=socket.AF_INET6, dualstack_ipv6=True)
print("ready", flush=True)
s.settimeout(20); c, _ = s.accept(); c.settimeout(20); h = hashlib.sha256()
while True:
    data = c.recv(65536)
    if not data: break
    h.update(data)
c.sendall(h.hexdigest().encode())
"""


def tcp_transfer(source, target, address, size):
    """Sends random bytes over TCP and compares their SHA-256; returns the sender's MSS."""
    receiver = target.spawn(["python3", "-c", RECEIVER], stdout=subprocess.PIPE)
    expect(receiver.stdout.readline() == "ready\n", "the TCP receiver does not start")
    done = source.run(["python3", "-c", SENDER, address, size], timeout=60)
    received, sent, mss = done.stdout.split()
    receiver.wait(10)
    expect(received == sent, f"{size} bytes arrived as others: {received} is not {sent}")
    return int(mss)


def traffic(source, target, address, rate, seconds, size=172):
    """Numbered datagrams; returns (what was sent, what was received), see lab/traffic.c."""
    program = os.path.join(source.lab.build, "lab", "hw-traffic")
    receiver = target.spawn([program, "recv", "9000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    expect(receiver.stderr.readline() == "ready\n", "the receiver does not start")
    sent = json.loads(source.run([program, "send", address, "9000", "--rate", rate, "--size", size,
                                  "--seconds", seconds], timeout=seconds + 10).stdout)
    time.sleep(0.5)
    receiver.terminate()
    return sent, json.loads(receiver.communicate(timeout=10)[0])


class Stream:
    """Numbered datagrams from one host to another, `rate` a second, while a test does other things. After
    end(): sent, received, lost, duplicates, gap_ms (the longest time between two arrivals)."""

    def __init__(self, source, target, address, rate=200, seconds=600, size=172, port=9000):
        program = os.path.join(source.lab.build, "lab", "hw-traffic")
        self.sent = None
        self.receiver = target.spawn([program, "recv", port], stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE)
        expect(self.receiver.stderr.readline() == "ready\n", "the receiver does not start")
        self.sender = source.spawn([program, "send", address, port, "--rate", rate, "--size", size,
                                    "--seconds", seconds], stdout=subprocess.PIPE)

    def stop(self):
        """Nothing is sent any more."""
        if self.sent is None:
            self.sender.terminate()
            self.sent = json.loads(self.sender.communicate(timeout=10)[0])["sent"]

    def end(self, drain=1.0):
        self.stop()
        time.sleep(drain)
        self.receiver.terminate()
        received = json.loads(self.receiver.communicate(timeout=10)[0])
        self.received = received["unique"]
        self.lost = self.sent - self.received
        self.duplicates, self.changed = received["duplicates"], received["changed"]
        self.gap_ms, self.delay_ms = received["gap_ms"], received["delay_ms"]
        return self

    def __str__(self):
        return (f"{self.lost} of {self.sent} lost, {self.duplicates} twice, longest gap "
                f"{self.gap_ms:.1f} ms")


class BothWays:
    """A Stream each way between hosts a and b through the tunnel."""

    def __init__(self, a, b, to_b="10.88.0.2", to_a="10.88.0.1", **options):
        self.up = Stream(a, b, to_b, port=9001, **options)
        self.down = Stream(b, a, to_a, port=9002, **options)

    def end(self, drain=1.0):
        for stream in (self.up, self.down):
            stream.stop()
        self.up.end(drain)
        self.down.end(0)
        return self

    @property
    def lost(self):
        return self.up.lost + self.down.lost

    @property
    def gap_ms(self):
        return max(self.up.gap_ms, self.down.gap_ms)

    def whole(self):
        """Nothing came twice or changed."""
        return all(s.duplicates == 0 and s.changed == 0 for s in (self.up, self.down))

    def __str__(self):
        return f"a to b: {self.up}; b to a: {self.down}"


def all_arrive_once(sent, received):
    expect(received["unique"] == sent["sent"] and received["duplicates"] == 0
           and received["changed"] == 0 and received["foreign"] == 0,
           f"sent {sent}, received {received}")


def conserves(daemon):
    """Received = delivered + dropped by reason, and the same for what was sent; exactly."""
    status = daemon.status()
    totals, drops = status["totals"], status["drops"]
    rx = sum(count for reason, count in drops.items() if reason.startswith("rx_"))
    tx = sum(count for reason, count in drops.items() if reason.startswith("tx_"))
    accounted = (totals["rx_handshake"] + totals["rx_control"] + totals["rx_delivered"]
                 + totals["rx_held"] + rx)
    expect(totals["rx_datagrams"] == accounted,
           f"received {totals['rx_datagrams']}, accounted for {accounted}: {status}")
    accounted = totals["tx_sent"] + totals["tx_waiting"] + tx
    expect(totals["tx_packets"] == accounted,
           f"taken {totals['tx_packets']}, accounted for {accounted}: {status}")
