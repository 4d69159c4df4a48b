"""The C client, libnats, as users use it (protocol.md section 17): sync and
async publishes, each kind of subscription, a kill -9 between, resume."""
import os
import unittest

from support.program import ProgramCase


class LibraryC(ProgramCase):
    def test_it_is_served_over_a_restart(self):
        self.run_program(os.environ["STAN_CLIENT"])


if __name__ == "__main__":
    unittest.main()
