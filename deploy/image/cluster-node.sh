#!/bin/sh
# Lets nodes form a swarm by themselves: the first manager founds it and leaves the join tokens in a folder that all
# share; the others wait for them. Files there are readable by their owner only, and only the first manager may write.
#
#   cluster-node.sh first   [FLAG…]     founds the swarm, or joins again if it lost its state
#   cluster-node.sh manager [FLAG…]     joins as a manager
#   cluster-node.sh worker  [FLAG…]     joins as a worker
#
# TOKENS    folder of the tokens (default /tokens)
# MANAGERS  host:port of managers to join through, separated by commas
set -eu

role=$1
shift
tokens=${TOKENS:-/tokens}
state=${SWARMD_DATA_DIR:-/var/lib/swarmd}
swarmd="node /app/bin/swarmd.js"

# A node that is in a swarm already needs no token: it goes on where it stopped.
if [ "$role" = first ]; then
  if ! [ -e "$state/node.json" ] && [ -s "$tokens/manager" ]; then
    # The swarm exists, this volume is new: founding another one would split the nodes.
    exec $swarmd manager --join "$MANAGERS" --token "@$tokens/manager" "$@"
  fi
  node /app/deploy/image/publish-tokens.js "$tokens" &
  exec $swarmd manager "$@"
fi

if ! [ -e "$state/node.json" ]; then
  until [ -s "$tokens/$role" ]; do sleep 0.2; done
fi
exec $swarmd "$role" --join "$MANAGERS" --token "@$tokens/$role" "$@"
