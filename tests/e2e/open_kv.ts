import { ACCESS_TOKEN } from "./node_process.ts";

/** Opens a node's database as any program does. */
export async function openKv(url: string): Promise<Deno.Kv> {
  Deno.env.set("DENO_KV_ACCESS_TOKEN", ACCESS_TOKEN);
  return await Deno.openKv(url);
}
