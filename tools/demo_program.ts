/*
 * Any program that uses Deno KV: nothing in it knows of sealkv, the address
 * alone says where the data lives.
 */
const kv = await Deno.openKv(Deno.args[0]);

const watcher = kv.watch<[Deno.KvU64]>([["visits"]]).getReader();
await watcher.read();

await kv.set(["users", "ada"], { name: "Ada", born: 1815 });
await kv.set(["users", "alan"], { name: "Alan", born: 1912 });
for await (const { key, value } of kv.list({ prefix: ["users"] })) {
  show(`list   ${key.join("/")} =`, value);
}

const ada = await kv.get(["users", "ada"]);
const renamed = await kv.atomic()
  .check(ada)
  .set(ada.key, { name: "Ada Lovelace", born: 1815 })
  .sum(["visits"], 1n)
  .commit();
show("atomic with a check:", renamed.ok ? "committed" : "refused");
const again = await kv.atomic().check(ada).delete(ada.key).commit();
show("the same check again:", again.ok ? "committed" : "refused");

const { value } = await watcher.read();
show("watch  visits =", value?.[0].value?.value);
await watcher.cancel();
kv.close();

function show(what: string, value: unknown): void {
  const text = typeof value === "string" ? value : Deno.inspect(value);
  Deno.stdout.writeSync(new TextEncoder().encode(`${what} ${text}\n`));
}
