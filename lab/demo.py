#!/usr/bin/env python3
"""`make demo`: the experiment of 2011, with one program in place of four OpenVPNs.

    host a                                                        host b
      hw0 10.88.0.1                                   10.88.0.2 hw0
       |                                                         |
       +---- wan1 ---- 100 Mbit/s, 10 ms each way; 5 % lost -----+
       +---- wan2 ---- going out of a host, and 5 % coming  -----+
       +---- wan3 ---- into one: 9.75 % each way            -----+

      bare ----------- a fourth link just like them, used as it is
"""

import argparse
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import lab as lab_module  # noqa: E402  (found only now)
from binomial import interval  # noqa: E402
from daemon import start_pair  # noqa: E402
from lab import LabError, Pinger  # noqa: E402

OUT, IN = 0.05, 0.05
LOSS = 1 - (1 - OUT) * (1 - IN)
LINK = f"rate 100M delay 10ms queue 250k loss {LOSS:.4f}"
NARROW = "rate 200k"
INTERVAL = 0.01


def theory(copies):
    """Share of pings lost when each way has so many independent copies."""
    return 1 - (1 - LOSS ** copies) ** 2


# pings, what happens before them, copies that remain, what it is called
STAGES = [
    (5000, None, 3, "three links"),
    (1500, ("wan3", "down"), 2, "wan3 cut, in silence"),
    (1500, ("wan2", NARROW), 2, "and wan2 down to 200 kbit/s"),
]


class Mark:
    """Where everything stood at a moment: the stages lie between two of them."""

    def __init__(self, pingers, links):
        self.number = [pinger.highest for pinger in pingers]
        self.bytes = [links["bare"].bytes(),
                      sum(link.bytes() for name, link in links.items() if name != "bare")]


def say(text=""):
    print(text, flush=True)


class Progress:
    """One line that is written over on a terminal; a line every ten seconds elsewhere."""

    def __init__(self, total):
        self.total = total
        self.live = sys.stdout.isatty()
        self.next = 0.0

    def show(self, pingers, force=False):
        now = time.monotonic()
        if now < self.next and not force:
            return
        self.next = now + (0.2 if self.live else 10)
        parts = []
        for name, pinger in zip(("bare", "hawser"), pingers):
            sent = pinger.highest
            lost = sent - len(pinger.rtts)
            parts.append(f"{name}: {lost:4} of {sent:4} lost ({100 * lost / max(1, sent):5.2f} %)")
        line = f"  {parts[0]}   {parts[1]}"
        if self.live:
            sys.stdout.write("\r" + line[:79].ljust(79))
            sys.stdout.flush()
        else:
            say(line)

    def end(self):
        if self.live:
            sys.stdout.write("\r" + " " * 79 + "\r")


def run_stages(pingers, links):
    """Lets the pings run, and the links suffer; returns the marks between the stages."""
    progress = Progress(sum(stage[0] for stage in STAGES))
    marks = [Mark(pingers, links)]
    until = 0
    for pings, change, _, title in STAGES:
        if change:
            name, params = change
            links[name].set(params)
        until += pings
        progress.end()
        say(f"  {pings} pings, {pings * INTERVAL:.0f} s: {title}")
        while max(pinger.highest for pinger in pingers) < until:
            if all(pinger.process.poll() is not None for pinger in pingers):
                break
            progress.show(pingers)
            time.sleep(0.05)
        marks.append(Mark(pingers, links))
    progress.end()
    return marks


def stage_of(result, low, high):
    """The pings numbered low+1..high of a result."""
    rtts = {n: rtt for n, rtt in result.rtts.items() if low < n <= high}
    return lab_module.PingResult(high - low, rtts, 0)


def row(name, result, expected, used):
    return (f"  {name:10} {result.sent:5} {result.lost:5} {100 * result.loss:7.2f} "
            f"{100 * expected:7.2f} {result.quantile(0.5):8.1f} {result.quantile(0.99):7.1f} "
            f"{result.quantile(1):7.1f} {used / 1e6:9.2f}")


def table(results, marks):
    say()
    say("             pings  lost  loss %  theory   p50 ms  p99 ms  max ms  MB wired")
    for (_, _, copies, title), before, after in zip(STAGES, marks, marks[1:]):
        say(title)
        ends = [result.sent if after is marks[-1] else after.number[i]
                for i, result in enumerate(results)]
        for i, (name, count) in enumerate((("bare link", 1), ("hawser", copies))):
            stage = stage_of(results[i], before.number[i], ends[i])
            say(row(name, stage, theory(count), after.bytes[i] - before.bytes[i]))
    say()


def verdict(results, marks):
    """What the figures say; returns whether they are what they should be."""
    bare = stage_of(results[0], 0, marks[1].number[0])
    ours = stage_of(results[1], 0, marks[1].number[1])
    good = True
    for name, result, copies in (("bare link", bare, 1), ("hawser", ours, 3)):
        low, high = interval(result.sent, theory(copies))
        fits = low <= result.lost <= high
        good = good and fits
        say(f"Chance gives the {name} {low} to {high} lost of {result.sent} (99.9 %); it lost "
            f"{result.lost}{'' if fits else ': NOT what theory says'}.")
    duplicates = results[1].duplicates
    say(f"Answers that the application saw twice through the tunnel: {duplicates}.")
    used = [marks[1].bytes[i] - marks[0].bytes[i] for i in (0, 1)]
    say(f"Bytes: {used[1] / used[0]:.1f} times those of the bare link: three copies, each with "
        "its")
    say("Ethernet header, seal and UDP header around a small ping.")
    return good and duplicates == 0


def run(options):
    say(__doc__.split("\n\n", 1)[1].rstrip())
    say()
    started = time.monotonic()
    with lab_module.Lab(options.build, seed=options.seed) as lab:
        a, b = lab.host("a"), lab.host("b")
        links = {name: lab.link(name, a, b, LINK) for name in ("wan1", "wan2", "wan3", "bare")}
        daemons = start_pair(lab, a, b, [links[n] for n in ("wan1", "wan2", "wan3")])
        say(f"Two hosts, four links and two daemons are up ({time.monotonic() - started:.1f} s). "
            "Pings at 10 ms:")
        # The first pings also find the neighbours; they do not count.
        for address in ("10.1.4.2", "10.88.0.2"):
            a.ping(address, count=20, interval=0.05)
        total = sum(stage[0] for stage in STAGES)
        pingers = [Pinger(a, address, count=total, interval=INTERVAL)
                   for address in ("10.1.4.2", "10.88.0.2")]
        marks = run_stages(pingers, links)
        results = [pinger.wait(60) for pinger in pingers]
        table(results, marks)
        good = verdict(results, marks)
        say()
        say("What the daemon on host a says (hawser status):")
        say(daemons[0].ask("status", "hw0").stdout.rstrip())
        for daemon in daemons:
            code = daemon.stop()
            good = good and code == 0
            if code != 0:
                say(f"hawser on {daemon.host.name} ended with {code}:\n{daemon.log()}")
    say()
    say(f"All of it is gone again: hosts, links, daemons. {time.monotonic() - started:.0f} s in all.")
    return 0 if good else 1


def main():
    parser = argparse.ArgumentParser(description="three bad links, one good tunnel")
    parser.add_argument("--build", default="build")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="of the links' losses")
    options = parser.parse_args()
    reason = lab_module.enter()
    if reason:
        say(f"The demo needs network namespaces and a TAP device, and cannot have them: {reason}")
        return 1
    try:
        return run(options)
    except KeyboardInterrupt:
        say("\nInterrupted. All of it is gone again: hosts, links, daemons.")
        return 130
    except LabError as error:
        say(f"\nThe demo failed: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
