#!/usr/bin/env python3
"""Who is let in: right keys are, and everything else gets no session and not one byte of answer.

One link; each case starts a pair of daemons of its own.
"""

import os
import time

from tap import case, expect, main

from daemon import Daemon, configs, secret_file
from lab import LabError

NO_SESSION = 2  # seconds in which a session would long be up


class Shared:
    pass


def setup(lab):
    s = Shared()
    s.lab = lab
    s.a, s.b = lab.host("a"), lab.host("b")
    s.link = lab.link("wan1", s.a, s.b, "delay 1ms")
    return s


class Pair:
    """Two daemons for the length of a case."""

    def __init__(self, s, config_a, config_b):
        self.on_b = Daemon(s.b, config_b).start()
        self.on_a = Daemon(s.a, config_a).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        codes = [self.on_a.stop(), self.on_b.stop()]
        expect(codes == [0, 0], f"exit codes {codes}")


def works(s, config_a, config_b):
    with Pair(s, config_a, config_b) as pair:
        pair.on_a.wait_up(timeout=5)
        result = s.a.ping("10.88.0.2", count=10, interval=0.02)
        expect(result.lost == 0, f"{result.lost} of 10 lost")


def is_refused(s, config_a, config_b, reason):
    """No session, no answer from b, and b counts why."""
    before = s.link.stats()
    with Pair(s, config_a, config_b) as pair:
        time.sleep(NO_SESSION)
        for daemon in (pair.on_a, pair.on_b):
            expect(daemon.peer()["state"] != "up", f"a session on {daemon.host.name}")
        drops = pair.on_b.status()["drops"]
        expect(drops[reason] > 0, f"{reason} is 0: {drops}")
        expect(s.a.ping("10.88.0.2", count=2, timeout=0.3).received == 0, "a ping got through")
    after = s.link.stats()
    asked = after["ab"]["offered_packets"] - before["ab"]["offered_packets"]
    answers = after["ba"]["offered_packets"] - before["ba"]["offered_packets"]
    expect(asked >= 2, f"a asked only {asked} times")
    expect(answers == 0, f"b sent {answers} packets to one that it does not know")


def key_files(s, name):
    """A private key file and its public key."""
    path = os.path.join(s.lab.dir, f"{name}.key")
    program = os.path.join(s.lab.build, "src", "cli", "hawser")
    private = s.a.run([program, "genkey"]).stdout
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(private)
    return path, s.a.run([program, "pubkey"], input=private).stdout.strip()


def keyed(s, own_a, own_b, believed_a, believed_b, psk_a=None, psk_b=None):
    """Configurations with key pairs; `believed` is the public key that the other one expects."""
    result = configs(s.lab, [s.link], "")
    for config, own, other, psk in ((result[0], own_a, believed_b, psk_a),
                                    (result[1], own_b, believed_a, psk_b)):
        config["identity"] = {"private-key-file": own}
        config["peers"] = [{"name": "other", "public-key": other,
                            **({"preshared-key-file": psk} if psk else {})}]
    return result


@case
def shared_secret_works(s):
    works(s, *configs(s.lab, [s.link], secret_file(s.lab)))


@case
def other_secret_is_refused(s):
    is_refused(s, *configs(s.lab, [s.link], secret_file(s.lab), same_secret=False),
               "rx_handshake_mac")


@case
def aes_works(s):
    works(s, *configs(s.lab, [s.link], secret_file(s.lab), options={"suite": "aes-256-gcm"}))


@case
def other_suite_is_refused(s):
    config_a, config_b = configs(s.lab, [s.link], secret_file(s.lab))
    config_a["suite"] = "aes-256-gcm"
    is_refused(s, config_a, config_b, "rx_handshake_auth")


@case
def key_pairs_work(s):
    (file_a, public_a), (file_b, public_b) = key_files(s, "a"), key_files(s, "b")
    works(s, *keyed(s, file_a, file_b, public_a, public_b))


@case
def unknown_client_is_refused(s):
    (file_a, _), (file_b, public_b) = key_files(s, "a"), key_files(s, "b")
    is_refused(s, *keyed(s, file_a, file_b, key_files(s, "stranger")[1], public_b),
               "rx_handshake_peer")


@case
def wrong_key_of_the_hub_is_refused(s):
    (file_a, public_a), (file_b, _) = key_files(s, "a"), key_files(s, "b")
    is_refused(s, *keyed(s, file_a, file_b, public_a, key_files(s, "stranger")[1]),
               "rx_handshake_mac")


@case
def preshared_key_works(s):
    (file_a, public_a), (file_b, public_b) = key_files(s, "a"), key_files(s, "b")
    psk = secret_file(s.lab, "psk")
    works(s, *keyed(s, file_a, file_b, public_a, public_b, psk, psk))


@case
def other_preshared_key_gives_no_session(s):
    (file_a, public_a), (file_b, public_b) = key_files(s, "a"), key_files(s, "b")
    # The client is who it says; only the client can tell that the answer is wrong (psk2).
    with Pair(s, *keyed(s, file_a, file_b, public_a, public_b, secret_file(s.lab, "psk1"),
                        secret_file(s.lab, "psk2"))) as pair:
        time.sleep(NO_SESSION)
        expect(pair.on_a.peer()["state"] != "up", "a session on a")
        drops = pair.on_a.status()["drops"]
        expect(drops["rx_handshake_auth"] > 0, f"{drops}")
        expect(s.a.ping("10.88.0.2", count=2, timeout=0.3).received == 0, "a ping got through")


@case
def secret_that_others_can_read_is_refused(s):
    secret = secret_file(s.lab, "open")
    config_a, _ = configs(s.lab, [s.link], secret)
    for mode in (0o640, 0o604, 0o660):
        os.chmod(secret, mode)
        daemon = Daemon(s.a, config_a)
        try:
            daemon.start()
        except LabError:
            expect(daemon.process.returncode == 3, f"mode {mode:o}: exit {daemon.process.returncode}")
            expect("chmod" in daemon.log(), f"mode {mode:o}: does not say how to mend it: {daemon.log()}")
            continue
        raise AssertionError(f"a secret of mode {mode:o} was taken")


@case
def no_secret_shows_anywhere(s):
    secret = secret_file(s.lab, "shown")
    with open(secret) as file:
        text = file.read().strip()
    with Pair(s, *configs(s.lab, [s.link], secret, options={"log-level": "debug"})) as pair:
        pair.on_a.wait_up(timeout=5)
        for daemon in (pair.on_a, pair.on_b):
            with open(f"/proc/{daemon.process.pid}/cmdline") as file:
                arguments = file.read()
            for where, what in (("log", daemon.log()), ("status", str(daemon.status())),
                                ("arguments", arguments)):
                expect(text not in what, f"the secret is in the {where} on {daemon.host.name}")


main(setup)
