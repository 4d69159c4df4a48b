"""What the main tests prove, once more with TLS, with certificates on both
sides, between streamd and its nats-server."""
import sys
import unittest

from blackbox import (test_durable, test_publish, test_queue_group,
                      test_redelivery)
from support.case import StreamdCase
from support.guarded import OverTls

MODULES = (test_durable, test_publish, test_queue_group, test_redelivery)


def add_cases():
    here = sys.modules[__name__]
    for module in MODULES:
        for name, case in vars(module).items():
            if (isinstance(case, type) and issubclass(case, StreamdCase)
                    and case.__module__ == module.__name__
                    and not case.own_setup and case.store == "memory"):
                setattr(here, f"{name}_over_tls", type(
                    f"{name}_over_tls", (OverTls, case),
                    {"__module__": __name__}))


add_cases()

if __name__ == "__main__":
    unittest.main()
