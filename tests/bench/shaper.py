#!/usr/bin/env python3
"""How exact the lab's links are: one-way delay through a link of 10 ms, at several packet rates.

The delay is taken from the sender's clock, just before it hands a batch to the kernel, to the kernel's
stamp of arrival, so the sender's own waiting for the shaper is in it. "late" is what the shaper itself
knows: how much after the model's time a frame was written. The first line is the machine's own: how late
its timers wake a program of the shaper's priority that does nothing else.
"""

import argparse
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), "lab"))

import lab as lab_module  # noqa: E402

DELAY_MS = 10


def measure(lab, a, b, rate, seconds):
    program = os.path.join(lab.build, "lab", "hw-traffic")
    lab.shaper.ask("reset")
    receiver = b.spawn([program, "recv", "9000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    receiver.stderr.readline()
    sent = json.loads(a.run([program, "send", "10.1.1.2", "9000", "--rate", rate, "--size", 172,
                             "--seconds", seconds], timeout=seconds + 10).stdout)
    time.sleep(0.5)
    receiver.terminate()
    received = json.loads(receiver.communicate(timeout=10)[0])
    return sent, received, lab.shaper.stats()["late_us"]


def main():
    parser = argparse.ArgumentParser(description="see the head of this file")
    parser.add_argument("--build", default="build")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rates", type=int, nargs="*", default=[1000, 20000, 100000, 150000])
    options = parser.parse_args()
    reason = lab_module.enter()
    if reason:
        sys.exit(f"shaper bench: {reason}")
    print(f"{'offered/s':>10} {'through/s':>10} {'lost %':>7} {'added delay, us: p50':>21} {'p99':>6} "
          f"{'p99.9':>6} {'late, us: p50':>14} {'p99':>6}")
    program = os.path.join(options.build, "lab", "hw-traffic")
    done = subprocess.run([program, "ticks", "1", "--rate", "1000", "--seconds", str(options.seconds)],
                          capture_output=True, text=True, timeout=options.seconds + 10, check=True)
    ticks = [1000 * json.loads(done.stdout)["late_ms"][key] for key in ("p50", "p99", "p999")]
    print(f"{'timers only':>28} {ticks[0]:>21.0f} {ticks[1]:>6.0f} {ticks[2]:>6.0f}", flush=True)
    with lab_module.Lab(options.build) as lab:
        a, b = lab.host("a"), lab.host("b")
        lab.link("wan1", a, b, f"delay {DELAY_MS}ms")
        a.ping("10.1.1.2", count=2)  # the neighbour is known from here on
        for rate in options.rates:
            sent, received, late = measure(lab, a, b, rate, options.seconds)
            delay = received["delay_ms"]
            added = [1000 * (delay[key] - DELAY_MS) for key in ("p50", "p99", "p999")]
            print(f"{sent['sent'] / sent['seconds']:>10.0f} "
                  f"{received['unique'] / max(received['seconds'], 1e-9):>10.0f} "
                  f"{100 * (1 - received['unique'] / sent['sent']):>7.2f} {added[0]:>21.0f} "
                  f"{added[1]:>6.0f} {added[2]:>6.0f} {late['p50']:>14} {late['p99']:>6}", flush=True)


if __name__ == "__main__":
    main()
