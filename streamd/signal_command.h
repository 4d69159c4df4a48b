/* signal_command.h - "-signal command[=pid]": a signal for a server that runs
 * already (cli-config.md 11.3). */
#ifndef STREAMD_SIGNAL_COMMAND_H
#define STREAMD_SIGNAL_COMMAND_H

#include <stdio.h>

/* Does what parameter says; program is argv[0]. Without a process id it goes to
 * the one other process of this program: same executable, or same name.
 * Returns the exit status: 0, or 1 and why is written to err. */
int signal_command(const char *parameter, const char *program, FILE *err);

#endif
