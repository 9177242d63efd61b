import { shellWord } from "../../base/shell.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import { untilInterrupted } from "../interrupt.ts";
import type { Services } from "../services.ts";
import { onHangUp } from "./hang_up.ts";
import { armLastResort } from "./last_resort.ts";
import { DEMO_CLUSTER, DemoNodes } from "./nodes.ts";
import { adminOf, openDemoPlace, tokenPath } from "./place.ts";
import { type DemoSite, siteAround } from "./site.ts";
import { runUnattended } from "./unattended.ts";
import { DEMO_RECORDS, WRITES_A_SECOND } from "./writer.ts";

export interface DemoRequest {
  readonly isUnattended: boolean;
  /** Leaves the directory there in the end. */
  readonly isKept: boolean;
  /** `null`: a temporary one. */
  readonly dir: string | null;
  /** `null`: ports that are free. */
  readonly basePort: number | null;
}

/**
 * Starts a demo, shows it, and takes all of it away again, whatever happens.
 *
 * @throws {NodeError} When it does not come to its end.
 */
export async function runDemo(
  services: Services,
  request: DemoRequest,
): Promise<ExitCode> {
  const dir = request.dir ?? await Deno.makeTempDir({ prefix: "sealkv-demo-" });
  try {
    await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
    return await runIn(services, request, await Deno.realPath(dir));
  } finally {
    if (!request.isKept) await Deno.remove(dir, { recursive: true });
  }
}

async function runIn(
  services: Services,
  request: DemoRequest,
  dir: string,
): Promise<ExitCode> {
  const { terminal, clock } = services;
  const say = (text: string) => terminal.err.write(`${text}\n`);
  const place = await openDemoPlace(services, dir, request.basePort);
  say(`Three nodes start, with all they keep in ${dir} …`);
  const nodes = await DemoNodes.start(clock, place);
  const resort = armLastResort({
    kill: () => nodes.kill(),
    dir: request.isKept ? null : dir,
  });
  const site = siteAround(services, place, nodes);
  const { hangUp, cancel } = onHangUp();
  let exitCode: ExitCode = EXIT.done;
  await untilInterrupted(services.process, async ({ first, second }) => {
    void second.then(() => nodes.kill());
    try {
      const shown = show(services, request, site);
      // When something else ends the demo, nobody waits for it any more.
      shown.catch(() => {});
      const end = await Promise.race([shown, first, hangUp]);
      exitCode = end === "stopped" ? EXIT.interrupted : end;
    } finally {
      await site.close();
      resort.cancel();
      cancel();
    }
  });
  say(
    request.isKept
      ? `All is kept. To go on with it: sealkv demo --dir ${shellWord(dir)}`
      : "The nodes have stopped, and their directory is removed.",
  );
  return exitCode;
}

async function show(
  services: Services,
  request: DemoRequest,
  site: DemoSite,
): Promise<ExitCode> {
  const { nodes, writer, finder } = site;
  await Promise.race([nodes.ready(), nodes.firstEnd]);
  await Promise.race([writer.start(), nodes.firstEnd]);
  introduce(services, site);
  finder.start();
  await Promise.race([runUnattended(services, site), nodes.firstEnd]);
  return EXIT.done;
}

function introduce({ terminal }: Services, { place }: DemoSite): void {
  const { dir, members, canary } = place;
  const text = `The cluster "${DEMO_CLUSTER}" serves:
${members.map(({ name, listen }) => `  ${name}  http://${listen}`).join("\n")}

A program has written ${DEMO_RECORDS} records and goes on, ${WRITES_A_SECOND} a second at most.
Each value holds the text ${canary}, which is in nothing else.
It is looked for in every byte of every file that the nodes keep.

To look around from another terminal:
  export SEALKV_ADMIN=${adminOf(place)}
  export SEALKV_ADMIN_TOKEN_FILE=${shellWord(tokenPath(dir, "admin"))}
  sealkv status
`;
  terminal.out.write(text);
}
