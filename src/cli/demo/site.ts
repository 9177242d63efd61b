import type { AdminClient, Services } from "../services.ts";
import { DemoFinder } from "./finder.ts";
import { DemoNodes } from "./nodes.ts";
import { adminOf, type DemoPlace } from "./place.ts";
import { DemoWriter } from "./writer.ts";

const ANSWER_MS_MAX = 10_000;

/** A demo that runs: nodes, a program that writes, and a look at the disks. */
export interface DemoSite {
  readonly place: DemoPlace;
  readonly nodes: DemoNodes;
  readonly client: AdminClient;
  readonly writer: DemoWriter;
  readonly finder: DemoFinder;
  /** Its directory stays in the end. */
  readonly isKept: boolean;
  /** Aborted when the demo ends. */
  readonly signal: AbortSignal;
}

/** Wires what `nodes` need around them; starts nothing yet. */
export function siteAround(
  services: Services,
  { place, nodes, isKept }: Pick<DemoSite, "place" | "nodes" | "isKept">,
): DemoSite & { close(): Promise<void> } {
  const { clock } = services;
  const http = services.httpClient({});
  const writer = new DemoWriter({
    urls: place.members.map(({ listen }) => `http://${listen}`),
    accessToken: place.tokens.access,
    canary: place.canary,
    clock,
    http,
  });
  const finder = new DemoFinder(clock, place);
  const client = services.adminClient({
    admin: adminOf(place),
    token: place.tokens.admin,
    actor: services.actor(),
    isTls: false,
    timeoutMs: ANSWER_MS_MAX,
    http: services.httpClient({}),
    clock,
  });
  const end = new AbortController();
  return {
    ...{ place, nodes, isKept, client, writer, finder, signal: end.signal },
    async close() {
      end.abort();
      client.close();
      // A node that is gone ends what the writer waits for.
      await Promise.all([writer.stop(), finder.stop(), nodes.stop()]);
      http.close();
    },
  };
}
