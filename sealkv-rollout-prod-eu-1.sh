#!/bin/sh
# What turned encryption on in prod-eu-1.
# cluster-id: b7f7c741-8a5b-423c-a409-6b30c276dea2
# begun 2026-11-26T09:29:31Z by @vm, sealkv 0.1.0
#
# Run it to do the same on another cluster, whose members run with
# --encryption-enabled and --kek already:
#   CLUSTER=NAME SEALKV_ADMIN=HOST:PORT SEALKV_ADMIN_TOKEN=… sh THIS_FILE
# SEALKV may be several words. Given again, it goes on where it stopped.
set -eu
[ -n "${CLUSTER:-}" ] || CLUSTER=prod-eu-1
SEALKV=${SEALKV:-sealkv}

# step storage
# asked 2026-11-26T09:29:37Z after entry 21: $SEALKV encryption enable-storage-envelope --confirm "$CLUSTER"
# done 2026-11-26T09:29:37Z: done, at entry 25, took 0.6 s, plan 3546bc3fcf808f14
$SEALKV encryption enable-storage-envelope --confirm "$CLUSTER"

# step rewrite
# asked 2026-11-26T09:29:41Z after entry 27: $SEALKV encryption rewrite --follow
# done 2026-11-26T09:29:43Z: done, at entry 28, took 1.7 s, plan 8c8fdb3e22b6bb1c
$SEALKV encryption rewrite --follow

# step seal
# asked 2026-11-26T09:29:46Z after entry 29: $SEALKV encryption seal-cleartext --confirm "$CLUSTER"
# done 2026-11-26T09:29:46Z: done, at entry 30, took 0.2 s, plan 86b5640c13c4c01c
$SEALKV encryption seal-cleartext --confirm "$CLUSTER"

# step raft
# asked 2026-11-26T09:29:50Z after entry 31: $SEALKV encryption enable-raft-envelope --confirm "$CLUSTER"
# done 2026-11-26T09:29:50Z: done, at entry 32, took 0.3 s, plan ca89a16026a39d64
$SEALKV encryption enable-raft-envelope --confirm "$CLUSTER"

# step scrub
# asked 2026-11-26T09:29:54Z after entry 33: $SEALKV encryption scrub
# done 2026-11-26T09:29:55Z: done, took 1.1 s, plan bc68d734f4330277
$SEALKV encryption scrub

# step scrub
# asked 2026-11-26T09:29:55Z after entry 34: $SEALKV encryption status --verify
# done 2026-11-26T09:29:55Z: no cleartext is left
$SEALKV encryption status --verify
