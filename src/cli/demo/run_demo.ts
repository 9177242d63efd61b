import { shellWord } from "../../base/shell.ts";
import { UsageError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import { type StopSignals, untilInterrupted } from "../interrupt.ts";
import type { Services } from "../services.ts";
import { runAttended } from "./attended.ts";
import { onHangUp } from "./hang_up.ts";
import { armLastResort } from "./last_resort.ts";
import { DEMO_CLUSTER, DemoNodes } from "./nodes.ts";
import { adminOf, type DemoPlace, openDemoPlace, tokenPath } from "./place.ts";
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
  let exitCode: ExitCode = EXIT.done;
  // From the start on: what is made first is to go, too.
  await untilInterrupted(services.process, async (signals) => {
    exitCode = await runIn(services, request, signals);
  });
  return exitCode;
}

async function runIn(
  services: Services,
  request: DemoRequest,
  signals: StopSignals,
): Promise<ExitCode> {
  const say = (text: string) => services.terminal.err.write(`${text}\n`);
  const { isKept } = request;
  const given = request.dir ??
    await Deno.makeTempDir({ prefix: "sealkv-demo-" });
  let exitCode: ExitCode;
  let dir = given;
  try {
    dir = await madeDirectory(given);
    const place = await openDemoPlace(services, dir, request.basePort);
    say(`Three nodes start, with all they keep in ${dir} …`);
    exitCode = await runAt(services, request, { place, signals });
  } finally {
    if (!isKept) await removeAll(given);
  }
  say(
    isKept
      ? `All is kept. To go on with it: sealkv demo --dir ${shellWord(dir)}`
      : "The nodes have stopped, and their directory is removed.",
  );
  return exitCode;
}

/** Its real path. @throws {UsageError} The system does not let it be made. */
async function madeDirectory(dir: string): Promise<string> {
  try {
    await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
    return await Deno.realPath(dir);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UsageError(
      `Cannot make a demo in "${dir}" as the system refuses it: ` +
        error.message,
      "Give --dir a new directory where this user may make one",
    );
  }
}

async function runAt(
  services: Services,
  { isUnattended, isKept }: DemoRequest,
  { place, signals: { first, second } }: {
    readonly place: DemoPlace;
    readonly signals: StopSignals;
  },
): Promise<ExitCode> {
  const nodes = await DemoNodes.start(services.clock, place);
  const resort = armLastResort({
    kill: () => nodes.kill(),
    dir: isKept ? null : place.dir,
  });
  const site = siteAround(services, { place, nodes, isKept });
  const { hangUp, cancel } = onHangUp();
  void second.then(() => nodes.kill());
  const stopped = Promise.race([first, hangUp]);
  try {
    const start = await untilFirst(startAll(site), stopped, nodes.firstEnd);
    if (start === "stopped") return EXIT.interrupted;
    // The wizard hears of a signal itself, and gives the terminal back.
    if (!isUnattended) return await runAttended(services, site);
    introduce(services, place);
    const shown = runUnattended(services, site);
    const end = await untilFirst(shown, stopped, nodes.firstEnd);
    return end === "stopped" ? EXIT.interrupted : EXIT.done;
  } finally {
    await site.close();
    resort.cancel();
    cancel();
  }
}

async function startAll({ nodes, writer }: DemoSite): Promise<void> {
  await nodes.ready();
  await writer.start();
}

/** What ends first; nobody waits for the other any more. */
async function untilFirst<T>(
  work: Promise<T>,
  stopped: Promise<"stopped">,
  firstEnd: Promise<never>,
): Promise<T | "stopped"> {
  work.catch(() => {});
  return await Promise.race([work, stopped, firstEnd]);
}

/** The last resort may have been first. */
async function removeAll(dir: string): Promise<void> {
  try {
    await Deno.remove(dir, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function introduce({ terminal }: Services, place: DemoPlace): void {
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
