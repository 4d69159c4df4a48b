/* engine_transport.h - the fake NATS of a fixture: what is published, and the
 * answers to requests of the engine. For engine_fixture.c only. */
#ifndef TESTS_SUPPORT_ENGINE_TRANSPORT_H
#define TESTS_SUPPORT_ENGINE_TRANSPORT_H

#include "tests/support/engine_fixture.h"

struct transport transport_of(struct fixture *fixture);

/* Hands the engine the oldest answer on its way; false if there is none. */
bool transport_echo(struct fixture *fixture);
void transport_forget_echoes(struct fixture *fixture);

/* All that was sent, and all texts. */
void transport_release(struct fixture *fixture);

#endif
