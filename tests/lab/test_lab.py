#!/usr/bin/env python3
"""The lab itself: what the shaper does to packets, and that nothing is left behind."""

import json
import os
import subprocess
import sys
import time

from tap import case, expect, main

from binomial import interval

import lab as lab_module


class Shared:
    pass


def setup(lab):
    shared = Shared()
    shared.lab = lab
    shared.a, shared.b = lab.host("a"), lab.host("b")
    shared.link = lab.link("wan1", shared.a, shared.b, "delay 10ms", ipv6=True)
    return shared


def traffic(shared, rate, seconds, size=172, address="10.1.1.2"):
    """Numbered datagrams from a to b; returns (what was sent, what was received)."""
    program = os.path.join(shared.lab.build, "lab", "hw-traffic")
    receiver = shared.b.spawn([program, "recv", "9000"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
    expect(receiver.stderr.readline() == "ready\n", "the receiver does not start")
    sent = json.loads(shared.a.run([program, "send", address, "9000", "--rate", rate, "--size", size,
                                    "--seconds", seconds], timeout=seconds + 10).stdout)
    time.sleep(0.5)
    receiver.terminate()
    return sent, json.loads(receiver.communicate(timeout=10)[0])


@case
def perfect_link_only_delays(shared):
    shared.link.set("loss 0")
    for address in ("10.1.1.2", "fd01:1::2"):
        sent, received = traffic(shared, 1000, 1, address=address)
        expect(received["unique"] == sent["sent"] and received["duplicates"] == 0
               and received["reordered"] == 0 and received["changed"] == 0,
               f"sent {sent}, received {received}")
        expect(received["delay_ms"]["min"] >= 10, f"faster than the link: {received}")


@case
def loss_is_that_of_the_model(shared):
    shared.link.set("loss 9.75%", "ab")
    sent, received = traffic(shared, 4000, 2)
    shared.link.set("loss 0")
    lost = sent["sent"] - received["unique"]
    low, high = interval(sent["sent"], 0.0975)
    expect(low <= lost <= high, f"{lost} of {sent['sent']} lost, expected {low} to {high}")


@case
def one_direction_can_be_lost_alone(shared):
    shared.link.set("loss 100%", "ba")
    sent, received = traffic(shared, 200, 0.5)
    result = shared.a.ping("10.1.1.2", count=5, interval=0.05, timeout=0.5)
    shared.link.set("loss 0")
    expect(received["unique"] == sent["sent"], f"towards b: {received}")
    expect(result.received == 0, f"{result.received} pings came back")


@case
def neighbours_are_found_whatever_the_loss(shared):
    shared.link.set("loss 100%")
    try:
        shared.a.ip("neigh flush dev wan1")
        shared.a.ping("10.1.1.2", count=2, interval=0.1, timeout=0.3)
        expect("lladdr" in shared.a.ip("neigh show 10.1.1.2 dev wan1"), "no ARP on a lossy link")
    finally:
        shared.link.set("loss 0")


@case
def link_that_is_down_swallows_everything(shared):
    shared.link.down()
    try:
        shared.a.ip("neigh flush dev wan1")
        shared.a.ping("10.1.1.2", count=2, interval=0.1, timeout=0.3)
        expect("lladdr" not in shared.a.ip("neigh show 10.1.1.2 dev wan1"), "ARP got through")
    finally:
        shared.link.up()
    shared.a.ip("neigh flush dev wan1")
    expect(shared.a.ping("10.1.1.2", count=2, interval=0.1).received == 2, "does not come back")


@case
def rate_and_queue_are_kept(shared):
    # 2 Mbit/s for 172 + 28 bytes each: 1250 packets a second; twice that is offered.
    shared.link.set("rate 2M queue 20k")
    sent, received = traffic(shared, 2500, 2)
    shared.link.set("rate 0 queue 0")
    # The queue (102 packets) is full of the first ones, and is emptied behind the last.
    expect(2500 <= received["unique"] <= 2500 + 110, f"{received['unique']} of {sent['sent']} came")


@case
def packets_beyond_the_mtu_vanish(shared):
    shared.link.set("mtu 1000")
    small = shared.a.ping("10.1.1.2", count=2, size=972)
    large = shared.a.ping("10.1.1.2", count=2, size=973, timeout=0.5)
    shared.link.set("mtu 0")
    expect((small.received, large.received) == (2, 0), f"{small.received}, {large.received}")


@case
def recorded_rate_is_played(shared):
    # 1500 bytes every 10 ms, which is 150,000 bytes a second, then nothing for the other second.
    path = os.path.join(shared.lab.dir, "rate.up")
    with open(path, "w") as file:
        file.writelines(f"{ms}\n" for ms in [*range(10, 1001, 10), 2000])
    shared.link.set(f"capacity {path} queue 20k", "ab")
    sent, received = traffic(shared, 2000, 4)
    shared.link.set("capacity off queue 0")
    # 200 + 200 opportunities of 1500 bytes for packets of 200, and what the queue holds at the end.
    expect(200 * 7 * 0.9 <= received["unique"] <= 203 * 7.5 + 120,
           f"{received['unique']} of {sent['sent']} came")


@case
def recorded_losses_are_played(shared):
    # Slots of 200 ms: every other one is lost, and the rest have half of 40 ms more delay.
    path = os.path.join(shared.lab.dir, "pings.csv")
    with open(path, "w") as file:
        file.write("segment,slot,rtt_ms_x,rtt_ms_y\n0,0,40,10\n0,1,-1,10\n")
    shared.link.set(f"trace {path},x", "ab")
    sent, received = traffic(shared, 500, 4)
    shared.link.set("trace off")
    expect(0.4 <= received["unique"] / sent["sent"] <= 0.6, f"sent {sent}, received {received}")
    expect(received["delay_ms"]["min"] >= 30, f"faster than the recording: {received}")


@case
def flapping_link_is_down_half_of_the_time(shared):
    shared.link.set("flap 5", "ab")
    sent, received = traffic(shared, 500, 4)
    shared.link.set("flap 0")
    expect(0.4 <= received["unique"] / sent["sent"] <= 0.6, f"sent {sent}, received {received}")
    expect(shared.a.ping("10.1.1.2", count=5, interval=0.05).lost == 0, "still flapping")


@case
def deleted_device_comes_back(shared):
    shared.a.ip("link del wan1")
    expect(shared.b.ping("10.1.1.1", count=2, timeout=0.5).received == 0, "still there")
    shared.link.recreate("a")
    expect(shared.a.ping("10.1.1.2", count=2).received == 2, "not back")


@case
def nothing_is_left_when_the_owner_is_killed(shared):
    program = ("import sys, time; sys.path.insert(0, sys.argv[1]); import lab\n"
               "with lab.Lab(sys.argv[2]) as l:\n"
               "    a, b = l.host('a'), l.host('b'); l.link('wan1', a, b)\n"
               "    print(l.dir, *[p.pid for p in l.processes], flush=True); time.sleep(60)\n")
    owner = subprocess.Popen([sys.executable, "-c", program, os.path.dirname(lab_module.__file__),
                              shared.lab.build], stdout=subprocess.PIPE, text=True)
    folder, *pids = owner.stdout.readline().split()
    expect(len(pids) == 3 and os.path.exists(folder), f"{folder} {pids}")
    owner.kill()
    owner.wait()

    def gone():
        for pid in pids:
            try:
                with open(f"/proc/{pid}/stat") as file:
                    if file.read().rsplit(")", 1)[1].split()[0] != "Z":
                        return False
            except FileNotFoundError:
                pass
        return True
    lab_module.wait_until(gone, 5, f"processes {pids} end")
    lab_module.remove_stale()
    expect(not os.path.exists(folder), f"{folder} is left")


main(setup)
