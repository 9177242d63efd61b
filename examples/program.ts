/*
 * A program that keeps its data in a cluster. It needs nothing of sealkv: this
 * is Deno KV, sealed or not.
 *
 *   DENO_KV_ACCESS_TOKEN=… deno run -A --unstable-kv examples/program.ts \
 *     http://127.0.0.1:4512
 */
// deno-lint-ignore-file no-console

interface Account {
  readonly name: string;
  readonly balance: number;
}

const [url = "http://127.0.0.1:4512"] = Deno.args;
using kv = await Deno.openKv(url);

// Create, read, list.
await kv.set(["accounts", "ana"], { name: "Ana", balance: 100 });
await kv.set(["accounts", "ben"], { name: "Ben", balance: 20 });
for await (const { key, value } of kv.list<Account>({ prefix: ["accounts"] })) {
  console.log(`${key.join("/")}: ${value.name} has ${value.balance}`);
}

// Watch one key while it is changed below.
const watch = kv.watch<[Account]>([["accounts", "ben"]]).getReader();
await watch.read();

// Move money: all of it, or nothing when somebody else was faster.
for (;;) {
  const [ana, ben] = await kv.getMany<[Account, Account]>([
    ["accounts", "ana"],
    ["accounts", "ben"],
  ]);
  if (ana.value === null || ben.value === null) throw new Error("no account");
  const moved = await kv.atomic()
    .check(ana, ben)
    .set(ana.key, { ...ana.value, balance: ana.value.balance - 30 })
    .set(ben.key, { ...ben.value, balance: ben.value.balance + 30 })
    .commit();
  if (moved.ok) break;
}

const { value: [seen] = [] } = await watch.read();
console.log(`seen by the watch: ${seen?.value?.balance}`);
await watch.cancel();

// Delete.
await kv.delete(["accounts", "ana"]);
const gone = await kv.get(["accounts", "ana"], { consistency: "strong" });
console.log(`after the delete: ${gone.value}`);
await kv.delete(["accounts", "ben"]);
