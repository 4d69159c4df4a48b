"""The Node client, node-nats-streaming, as users use it (protocol.md section
17): it drops messages that overtake the subscribe reply (E60)."""
import os
import pathlib
import unittest

from support.program import ProgramCase

FOLDER = pathlib.Path(__file__).parent / "node"


class LibraryNode(ProgramCase):
    def test_it_is_served_over_a_restart(self):
        self.assertTrue((FOLDER / "node_modules").exists(),
                        f"run npm ci in {FOLDER}")
        self.run_program(os.environ["NODE"], str(FOLDER / "stan_client.js"))


if __name__ == "__main__":
    unittest.main()
