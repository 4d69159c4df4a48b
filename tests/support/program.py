"""Drives a client program of another language through a restart."""
import subprocess

from support.case import StreamdCase
from support.waiting import PATIENCE


class ProgramCase(StreamdCase):
    """The program gets URL and cluster ID, writes "restart" when the server
    is to be killed and started again, reads a line when that is done, and
    ends with 0 if it is content."""

    store = "file"

    def run_program(self, *command):
        program = subprocess.Popen(
            [*command, self.server.nats.url, self.server.cluster], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(program.communicate)
        self.addCleanup(program.kill)
        restarts = 0
        for line in program.stdout:
            if line.strip() == "restart":
                self.restart_server()
                restarts += 1
                program.stdin.write("\n")
                program.stdin.flush()
        self.assertEqual(program.wait(PATIENCE), 0)
        self.assertEqual(restarts, 1)
