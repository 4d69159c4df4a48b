#!/bin/sh
# Flags alone, or nothing, are for the server; anything else is a command.
set -eu
case "${1--}" in
-*) set -- nats-streaming-server "$@" ;;
esac
exec "$@"
