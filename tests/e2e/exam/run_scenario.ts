import { type ExamCase, type ExamContext, within } from "./exam.ts";

const CASE_MS_MAX = 60_000;

/** How one client opens databases. */
export interface ExamClient {
  readonly client: "deno" | "npm";
  readonly backend: "remote" | "local";
  /** Deno before 2.9. */
  readonly isOldDeno: boolean;
  /** `token` is the server's own unless given. */
  open(database: string, token?: string): Promise<Deno.Kv>;
  u64(value: bigint): Deno.KvU64;
}

/** Where the result goes: one line for each case. */
export interface ExamReport {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Runs all cases whose name contains `only`, each in a database named after
 * `run` and its number.
 */
export async function runScenario(
  cases: readonly ExamCase[],
  client: ExamClient,
  options: {
    readonly run: string;
    readonly only: string;
    readonly print: (line: string) => void;
  },
): Promise<ExamReport> {
  const { run, only, print } = options;
  const report = { passed: 0, failed: 0, skipped: 0 };
  for (const [i, examCase] of cases.entries()) {
    if (!examCase.name.includes(only)) continue;
    const reason = reasonToSkip(examCase, client);
    if (reason !== null) {
      report.skipped += 1;
      print(`skip  ${examCase.name}: ${reason}`);
      continue;
    }
    const from = Date.now();
    try {
      await runCase(examCase, client, `${run}-${i}`);
      report.passed += 1;
      print(`ok    ${examCase.name} (${Date.now() - from} ms)`);
    } catch (error) {
      report.failed += 1;
      print(`FAIL  ${examCase.name}`);
      print(error instanceof Error ? error.stack ?? error.message : `${error}`);
    }
  }
  const { passed, failed, skipped } = report;
  print(`exam: ${passed} passed, ${failed} failed, ${skipped} skipped`);
  return report;
}

function reasonToSkip(
  { skip }: ExamCase,
  { client, backend, isOldDeno }: ExamClient,
): string | null {
  if (client === "npm" && skip?.npm !== undefined) return skip.npm;
  if (backend === "local" && skip?.local !== undefined) return skip.local;
  if (isOldDeno && skip?.oldDeno !== undefined) return skip.oldDeno;
  return null;
}

async function runCase(
  examCase: ExamCase,
  client: ExamClient,
  database: string,
): Promise<void> {
  const handles: Deno.Kv[] = [];
  const open = async (name: string, token?: string) => {
    const kv = await client.open(name, token);
    handles.push(kv);
    return kv;
  };
  try {
    const context: ExamContext = {
      client: client.client,
      backend: client.backend,
      kv: await open(database),
      open: () => open(database),
      openOther: (suffix) => open(`${database}-${suffix}`),
      openWithToken: (token) => open(database, token),
      u64: client.u64,
    };
    await within("the case ends", CASE_MS_MAX, examCase.run(context));
  } finally {
    for (const kv of handles) close(kv);
  }
}

/** Cases that close their handles themselves leave nothing to close. */
function close(kv: Deno.Kv): void {
  try {
    kv.close();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  }
}
