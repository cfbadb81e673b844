#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Stands in for many wpa_supplicants at once: wpa_stand_in.py INTERFACE FOLDER...

In each folder a control socket of its own. A network is "admitted" at once when it is selected or
re-authenticated, if it is whole: checks of the server, and a PKCS#12 blob that its passphrase opens.
What is not whole is refused and noted in FOLDER/HALF. FOLDER/ADMITTED holds the id_str of the last
admission and the serial number of its certificate."""
import os
import selectors
import socket
import subprocess
import sys

ADMITTED = "<3>CTRL-EVENT-EAP-SUCCESS EAP authentication completed successfully"
REFUSED = "<3>CTRL-EVENT-EAP-FAILURE EAP authentication failed"


class Supplicant:
    def __init__(self, folder, interface):
        self.folder, self.listeners = folder, set()
        self.networks, self.blobs, self.next, self.up = {}, {}, 0, False
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(os.path.join(folder, interface))

    def certificate(self, network):
        value = lambda name: network.get(name, '""').strip('"')
        blob = self.blobs.get(value("private_key").replace("blob://", ""))
        if not value("ca_cert") or not value("domain_match") or not value("identity") or not blob:
            return None
        done = subprocess.run(
            ["openssl", "pkcs12", "-nokeys", "-passin", "pass:" + value("private_key_passwd")],
            input=blob, capture_output=True)
        shown = subprocess.run(["openssl", "x509", "-noout", "-serial"], input=done.stdout,
                               capture_output=True, text=False)
        return shown.stdout.decode().strip().split("=")[-1].lower() if done.returncode == 0 else None

    def authenticate(self, number):
        network = self.networks.get(number)
        serial = self.certificate(network) if network else None
        self.up = serial is not None
        name = "ADMITTED" if self.up else "HALF"
        with open(os.path.join(self.folder, name), "w") as f:
            f.write(f"{serial}\n")
        for listener in list(self.listeners):
            try:
                self.socket.sendto((ADMITTED if self.up else REFUSED).encode(), listener)
            except OSError:
                self.listeners.discard(listener)

    def answer(self, command, sender):
        verb, _, rest = command.partition(" ")
        if verb == "ATTACH":
            self.listeners.add(sender)
        elif verb == "PING":
            return "PONG\n"
        elif verb == "LIST_NETWORKS":
            return "network id / ssid / bssid / flags\n" + "".join(
                f"{n}\t\tany\t[CURRENT]\n" for n in self.networks)
        elif verb == "ADD_NETWORK":
            self.networks[self.next] = {}
            self.next += 1
            return f"{self.next - 1}\n"
        elif verb == "SET_NETWORK":
            number, name, value = rest.split(" ", 2)
            self.networks[int(number)][name] = value
        elif verb == "GET_NETWORK":
            number, name = rest.split(" ")
            return self.networks.get(int(number), {}).get(name, "FAIL\n")
        elif verb == "REMOVE_NETWORK":
            self.networks, self.up = {}, False
        elif verb == "SET" and rest.startswith("blob "):
            _, name, value = rest.split(" ", 2)
            self.blobs[name] = bytes.fromhex(value)
        elif verb == "STATUS":
            return ("wpa_state=COMPLETED\nsuppPortStatus=Authorized\nEAP state=SUCCESS\n"
                    if self.up else "wpa_state=DISCONNECTED\n")
        return "OK\n"

    def turn(self):
        data, sender = self.socket.recvfrom(65536)
        command = data.decode(errors="replace")
        try:
            self.socket.sendto(self.answer(command, sender).encode(), sender)
        except OSError:  # it was killed meanwhile
            self.listeners.discard(sender)
        verb = command.split(" ")[0]
        if verb in ("SELECT_NETWORK", "REAUTHENTICATE", "REASSOCIATE") and self.networks:
            self.authenticate(max(self.networks))


def main():
    poll = selectors.DefaultSelector()
    for folder in sys.argv[2:]:
        s = Supplicant(folder, sys.argv[1])
        poll.register(s.socket, selectors.EVENT_READ, s)
    while True:
        for key, _ in poll.select():
            key.data.turn()


main()
