/*
 * Follows a cluster and prints a line for each thing that happens: members that
 * come and go, the phase, the rewrite, and every step that somebody asks for.
 *
 *   SEALKV_ADMIN=10.0.0.4:4514 SEALKV_ADMIN_TOKEN=… \
 *     deno run -A examples/watcher.ts
 */
// deno-lint-ignore-file no-console
import { type ClusterStatus, connectAdmin } from "../mod.ts";

const admin = connectAdmin({
  admin: Deno.env.get("SEALKV_ADMIN") ?? "127.0.0.1:4514",
  token: Deno.env.get("SEALKV_ADMIN_TOKEN") ?? "",
});
const stop = new AbortController();
Deno.addSignalListener("SIGINT", () => stop.abort());

try {
  await Promise.all([members(), rewrite(), history()]);
} finally {
  admin.close();
}

async function members(): Promise<void> {
  let before = "";
  for await (const event of admin.watchStatus(stop.signal)) {
    const line = event.kind === "silence"
      ? `no member answers: ${event.reason}`
      : lineOf(event.status);
    if (line !== before) console.log(line);
    before = line;
  }
}

function lineOf({ cluster, phase, leader, members }: ClusterStatus): string {
  const down = members.filter(({ up }) => !up).map(({ name }) => name);
  const up = down.length === 0 ? "all up" : `down: ${down.join(", ")}`;
  return `${cluster}: phase ${phase}, leader ${leader || "none"}, ${up}`;
}

async function rewrite(): Promise<void> {
  let before = "";
  for await (const { job, members } of admin.watchRewrite(stop.signal)) {
    if (job === null) continue;
    const line = members.map(({ member, state }) => `${member} ${state}`)
      .join(", ");
    if (line !== before) console.log(`rewrite: ${line}`);
    before = line;
  }
}

/** What was there at the start is not told. */
async function history(): Promise<void> {
  let last = (await admin.events()).at(-1)?.index ?? 0n;
  while (!stop.signal.aborted) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const events = await admin.events().catch(() => []);
    for (const { index, actor, action, result } of events) {
      if (index <= last) continue;
      console.log(`${actor || "somebody"}: ${action} ${result}`);
      last = index;
    }
  }
}
