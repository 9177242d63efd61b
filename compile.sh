#!/usr/bin/env bash
# Builds sealkv into one file: ./compile.sh [TARGET… | all]
#
# Without a target: for this machine, as dist/sealkv; its size and start time
# are printed. With targets: dist/sealkv-TARGET. Uses the `deno` on PATH;
# DENORT_BIN names a runtime to embed instead of the one deno downloads.
set -euo pipefail
cd "$(dirname "$0")"

TARGETS=(
  x86_64-unknown-linux-gnu
  aarch64-unknown-linux-gnu
  x86_64-apple-darwin
  aarch64-apple-darwin
  x86_64-pc-windows-msvc
)

# What the binary may do; docs/permissions.md says why. Nothing else, above all
# no --allow-ffi and no --allow-sys.
VARIABLES=(
  "SEALKV_*" HOME XDG_DATA_HOME LOCALAPPDATA USER LOGNAME USERNAME
  DENO_KV_ACCESS_TOKEN DENO_KV_PATH_PREFIX
  TERM NO_COLOR FORCE_COLOR CLICOLOR_FORCE
  VAULT_TOKEN VAULT_TOKEN_FILE AWS_REGION AWS_DEFAULT_REGION
  AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
  # Of the screens; those from NODE_ENV on are what React and ink look for.
  LC_ALL LC_CTYPE LANG TERM_PROGRAM TMUX COLUMNS LINES
  NODE_ENV DEV INK_SCREEN_READER CI CONTINUOUS_INTEGRATION
)
PERMISSIONS=(
  --allow-read
  --allow-write
  --allow-net
  --allow-run
  "--allow-env=$(IFS=,; echo "${VARIABLES[*]}")"
)

build() { # OUTPUT [deno compile flags]
  local output=$1
  shift
  deno compile --quiet --no-prompt "${PERMISSIONS[@]}" \
    --include src/io/deno/disk_worker.ts \
    --output "$output" "$@" main.ts
  echo "$output: $(($(wc -c <"$output") / 1048576)) MiB"
}

mkdir -p dist
if [ $# -eq 0 ]; then
  build dist/sealkv
  deno run --quiet --allow-run tools/start_time.ts dist/sealkv
  exit 0
fi
[ "$1" = all ] && set -- "${TARGETS[@]}"
for target in "$@"; do
  case " ${TARGETS[*]} " in
    *" $target "*) ;;
    *)
      echo "compile.sh: no target \"$target\"; there are: ${TARGETS[*]}" >&2
      exit 2
      ;;
  esac
  case $target in
    *windows*) build "dist/sealkv-$target.exe" --target "$target" ;;
    *) build "dist/sealkv-$target" --target "$target" ;;
  esac
done
