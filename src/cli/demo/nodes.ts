import type { Clock } from "../../io/clock.ts";
import { ChildProgram } from "../child_program.ts";
import type { ProgramEndedError } from "../errors.ts";
import { thisProgram } from "../this_program.ts";
import { leash } from "./leash.ts";
import { type DemoMember, type DemoPlace, tokenPath } from "./place.ts";

/** One-way steps are confirmed by it: short, for it is typed. */
export const DEMO_CLUSTER = "demo";

const READY = /^ready \{.*\}$/m;
const STOP_MS_MAX = 10_000;
/** Three nodes share a machine that may be busy. */
const ELECTION_MS = 1_000;
/** What Deno and the node look for; nothing else of the user's reaches them. */
const VARIABLES = ["HOME", "PATH", "TMPDIR"];
/** Where Deno finds what it has downloaded; the binary needs none of it. */
const DENO_VARIABLES = [
  ...["DENO_DIR", "XDG_CACHE_HOME", "DENO_TLS_CA_STORE", "DENO_CERT"],
  ...["SystemRoot", "USERPROFILE", "LOCALAPPDATA", "TEMP"],
];

/** The nodes of a demo, each a process of this very program. */
export class DemoNodes {
  readonly #clock: Clock;
  readonly #programs: readonly ChildProgram[];
  readonly #ends: ProgramEndedError[] = [];
  /** Rejects, with its last words, when the first one ends. */
  readonly firstEnd: Promise<never>;

  private constructor(clock: Clock, programs: readonly ChildProgram[]) {
    this.#clock = clock;
    this.#programs = programs;
    const ends = programs.map((one) => one.untilEnd());
    for (const end of ends) end.catch((error) => this.#ends.push(error));
    this.firstEnd = Promise.race(ends);
    // Whoever waits for it hears of it; nobody has to.
    this.firstEnd.catch(() => {});
  }

  /** Of nodes that have ended, in that order. */
  get ends(): readonly ProgramEndedError[] {
    return this.#ends;
  }

  /** Starts all; `ready` tells when they serve. */
  static async start(clock: Clock, place: DemoPlace): Promise<DemoNodes> {
    const before = await leash();
    const env = childEnvironment();
    const programs = place.members.map((member) => {
      const [program = "", ...words] = [...before, ...thisProgram()];
      const args = [...words, "serve", ...flagsOf(place, member)];
      return ChildProgram.start({
        ...{ program, args, env, title: `node ${member.name}` },
        ...{ isEnvBare: true, isDetached: true },
      });
    });
    return new DemoNodes(clock, programs);
  }

  /** @throws {ProgramEndedError} When one ends before. */
  async ready(): Promise<void> {
    await Promise.all(this.#programs.map((one) => one.output(READY)));
  }

  /** Asks all to stop and waits; one that does not is killed. */
  async stop(): Promise<void> {
    const timer = this.#clock.after(STOP_MS_MAX, () => this.kill());
    try {
      await Promise.all(this.#programs.map((one) => one.stop("SIGTERM")));
    } finally {
      timer.cancel();
    }
  }

  /** Waits for nothing. */
  kill(): void {
    for (const one of this.#programs) one.signal("SIGKILL");
  }
}

function flagsOf(
  { dir, members, kekPath }: DemoPlace,
  { name, dataDir, listen, peer, admin }: DemoMember,
): readonly string[] {
  const founders = members.map(({ name, peer }) => `${name}=${peer}`).join();
  return [
    ...["--node", name, "--data-dir", dataDir, "--initial-cluster", founders],
    ...["--cluster-name", DEMO_CLUSTER, "--election-ms", `${ELECTION_MS}`],
    ...["--listen", listen, "--peer-listen", peer, "--admin-listen", admin],
    ...["access", "admin", "peer"].flatMap((purpose) => [
      `--${purpose}-token-file`,
      tokenPath(dir, purpose),
    ]),
    ...["--encryption-enabled", "--kek", `file:${kekPath}`],
    ...["--log-level", "warn"],
  ];
}

function childEnvironment(): Record<string, string> {
  const names = Deno.build.standalone
    ? ["HOME"]
    : [...VARIABLES, ...DENO_VARIABLES];
  const env: Record<string, string> = {};
  for (const name of names) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}
