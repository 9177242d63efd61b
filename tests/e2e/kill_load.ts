/*
 * Writers in a process of their own: `kill_load.ts URL` prints each answered
 * key on a line and stops when its input ends. The client's complaints about a
 * killed node stay in this process.
 */
const WRITERS = 16;

const kv = await Deno.openKv(Deno.args[0]);
let isStopping = false;
const ended = Array.fromAsync(Deno.stdin.readable).then(() => {
  isStopping = true;
});
await Promise.all(Array.from({ length: WRITERS }, (_, id) => write(id)));
await ended;
kv.close();

/** Goes on whatever happens to the node. */
async function write(writer: number): Promise<void> {
  for (let count = 0; !isStopping; count += 1) {
    const key = ["key", writer, count];
    try {
      const result = await kv.atomic()
        .check({ key, versionstamp: null })
        .set(key, `value ${count}`)
        .sum(["sum"], 1n)
        .commit();
      // Refused: the client sent it again after it had been applied.
      if (!result.ok) continue;
    } catch {
      // Not answered: it may have happened or not.
      continue;
    }
    print(key.join("/"));
  }
}

function print(line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let at = 0; at < bytes.length;) {
    at += Deno.stdout.writeSync(bytes.subarray(at));
  }
}
