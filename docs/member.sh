# Starts member N of three on this machine, anew if it runs already:
#
#     sh docs/member.sh N [FLAGS of sealkv serve]
#     sh docs/member.sh N stop
#
# In the place of a service manager, for the pages beside it. Data are in
# data/nN, what it says in data/nN.log.
set -e
n=$1
shift
mkdir -p data
rm -f data/n$n.out
if [ -f data/n$n.pid ]; then
  kill "$(cat data/n$n.pid)" 2>/dev/null || true
  while kill -0 "$(cat data/n$n.pid)" 2>/dev/null; do sleep 0.1; done
  rm data/n$n.pid
fi
if [ "${1:-}" = stop ]; then exit; fi
# Without the binary, from the source.
command -v sealkv >/dev/null || sealkv() { exec deno run -A main.ts "$@"; }
case " $* " in
  *" --join "*) ;;
  *) set -- --cluster-name prod --initial-cluster \
    n1=127.0.0.1:4513,n2=127.0.0.1:4523,n3=127.0.0.1:4533 "$@" ;;
esac
sealkv serve --node n$n --data-dir data/n$n --listen 127.0.0.1:45${n}2 \
  --peer-listen 127.0.0.1:45${n}3 --admin-listen 127.0.0.1:45${n}4 \
  "$@" >data/n$n.out 2>data/n$n.log &
echo $! >data/n$n.pid
until grep -qs '^ready' data/n$n.out; do
  kill -0 $! 2>/dev/null || { cat data/n$n.log >&2; exit 1; }
  sleep 0.1
done
