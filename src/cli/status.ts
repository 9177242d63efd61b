import type { Command } from "@commander-js/extra-typings";
import type { AdminClient, ClusterStatus } from "../admin/client.ts";
import { ConfigInvalidError } from "../app/errors.ts";
import { NodeError } from "../base/error.ts";
import { InputInvalidError } from "./errors.ts";
import { EXIT, type ExitCode } from "./exit_code.ts";
import { untilInterrupted } from "./interrupt.ts";
import {
  adminOption,
  adminTokenFileOption,
  durationArgument,
  jsonOption,
  timeoutOption,
  tlsCaOption,
} from "./options.ts";
import type { Services } from "./services.ts";
import {
  statusJson,
  statusLine,
  statusScreen,
  type StatusView,
} from "./status_view.ts";
import { closest } from "./suggest.ts";
import { wantsColor } from "./terminal.ts";
import { readAdminToken } from "./tokens.ts";

const CA_BYTES_MAX = 1_048_576;
const CLEAR_SCREEN = "\x1b[H\x1b[2J";

export interface StatusOptions {
  readonly watch?: true | undefined;
  readonly interval: number;
  readonly node?: string | undefined;
  readonly json?: true | undefined;
  readonly admin: string;
  readonly adminTokenFile?: string | undefined;
  readonly tlsCa?: string | undefined;
  readonly timeout: number;
}

/** Adds `status`. */
export function addStatus(
  program: Command,
  services: Services,
  finish: (code: ExitCode) => void,
): void {
  program.command("status")
    .description("show the members of the cluster and how they do")
    .option("--watch", "show it again and again, until stopped")
    .option(
      "--interval <DURATION>",
      "time between two looks of --watch (default: 2s)",
      durationArgument,
      2_000,
    )
    .option("--node <NAME>", "show this member only")
    .addOption(adminOption())
    .addOption(adminTokenFileOption())
    .addOption(tlsCaOption())
    .addOption(timeoutOption())
    .addOption(jsonOption())
    .action((options) =>
      withAdmin(services, options, async (client) => {
        // A first look that fails is an error, a later one is a line.
        const first = await client.getStatus();
        if (!options.watch) return show(services, first, options);
        const isStopped = await untilInterrupted(
          services.process,
          (signals) => watch(services, client, first, options, signals.first),
        );
        if (isStopped) finish(EXIT.interrupted);
      })
    );
}

async function withAdmin(
  services: Services,
  options: StatusOptions,
  body: (client: AdminClient) => Promise<void> | void,
): Promise<void> {
  const token = await readAdminToken(services, options.adminTokenFile);
  const ca = options.tlsCa === undefined
    ? null
    : await readCa(services, options.tlsCa);
  const client = services.adminClient({
    admin: options.admin,
    token: token.reveal(),
    isTls: ca !== null,
    timeoutMs: options.timeout,
    clock: services.clock,
    http: services.httpClient(ca === null ? {} : { ca }),
  });
  try {
    await body(client);
  } finally {
    client.close();
  }
}

async function readCa(services: Services, path: string): Promise<string> {
  const content = await services.files.read(path, CA_BYTES_MAX);
  const text = new TextDecoder().decode(content?.bytes);
  if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  throw new ConfigInvalidError("tls-ca", path, "a PEM file", "--tls-ca");
}

async function watch(
  services: Services,
  client: AdminClient,
  first: ClusterStatus,
  options: StatusOptions,
  stopped: Promise<"stopped">,
): Promise<void> {
  const { clock, terminal } = services;
  let status = first;
  let seenMs = clock.monotonicMs();
  let silence: string | null = null;
  for (;;) {
    if (silence === null) show(services, status, options);
    else {
      const ageMs = Math.round(clock.monotonicMs() - seenMs);
      const line = `no answer, last one ${Math.ceil(ageMs / 1_000)} s ago: `;
      terminal.err.write(`${line}${silence}\n`);
    }
    const pause = Promise.withResolvers<"next">();
    const timer = clock.after(options.interval, () => pause.resolve("next"));
    const woken = await Promise.race([pause.promise, stopped]);
    timer.cancel();
    if (woken === "stopped") return;
    try {
      status = await client.getStatus();
      seenMs = clock.monotonicMs();
      silence = null;
    } catch (error) {
      if (!(error instanceof NodeError)) throw error;
      if (error.code !== "ADMIN_UNREACHABLE") throw error;
      silence = error.message;
    }
  }
}

function show(
  services: Services,
  status: ClusterStatus,
  options: StatusOptions,
): void {
  const { out, env } = services.terminal;
  const members = membersOf(status, options.node);
  const view: StatusView = { ...status, members };
  if (options.json) out.write(statusJson(view));
  else if (!options.watch) out.write(statusScreen(view, wantsColor(out, env)));
  else if (out.isTerminal && env("TERM") !== "dumb") {
    out.write(CLEAR_SCREEN + statusScreen(view, wantsColor(out, env)));
  } else for (const member of members) out.write(statusLine(view, member));
}

function membersOf(status: ClusterStatus, node: string | undefined) {
  if (node === undefined) return status.members;
  const members = status.members.filter(({ name }) => name === node);
  if (members.length > 0) return members;
  const names = status.members.map(({ name }) => name);
  const guess = closest(node, names) ?? names.join(", ");
  throw new InputInvalidError(
    "--node",
    `the cluster has no member of that name: current value is "${node}"`,
    `Give a member's name, as ${guess}`,
  );
}
