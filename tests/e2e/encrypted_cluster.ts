import { deepEqual, equal, fail, match, ok } from "node:assert/strict";
import { followChain } from "../../src/app/audit_chain.ts";
import { formsOf } from "../contract/secret_forms.ts";
import { type AdminAnswer, callAdmin } from "./admin_call.ts";
import { type CliEnd, runSealkv } from "./cli_process.ts";
import type { ClusterProcess } from "./cluster_process.ts";
import { encryptionAt, type SeenEncryption } from "./encryption_view.ts";
import { until } from "./until.ts";

const AGREED_MS_MAX = 60_000;
/** Refused, and nothing was changed, for an answer that came too late. */
export const LATE =
  /NODE_CAPABILITY_UNPROVEN.*\((?:unreachable|leader-kek-silent): /;

const SENT_ON: ReadonlySet<string> = new Set([
  "NODE_NOT_LEADER",
  "NODE_NOT_READY",
]);

/** One line of an audit log. */
export interface AuditLine {
  readonly call: string;
  readonly result: string;
  readonly changed: boolean;
  readonly code: string;
  readonly index: string;
  readonly event?: string;
}

/** What a command is to be refused with. */
export interface Refusal {
  readonly code: string;
  readonly exit: number;
  /** Each is in the message, a cause or the remedy. */
  readonly says?: readonly (string | RegExp)[];
}

/** What an operator does about the encryption of a cluster, and sees of it. */
export class EncryptedCluster {
  readonly cluster: ClusterProcess;
  /** All that commands printed. */
  readonly printed: string[] = [];

  constructor(cluster: ClusterProcess) {
    this.cluster = cluster;
  }

  /** Admin addresses of the members that run. */
  get admins(): string {
    const { cluster } = this;
    return cluster.running.map((name) => cluster.admin(name)).join(",");
  }

  /** Runs a command that asks the cluster. */
  async run(...words: readonly string[]): Promise<CliEnd> {
    return await this.runLocal(...words, "--admin", this.admins);
  }

  /** Runs a command that asks nobody. */
  async runLocal(...words: readonly string[]): Promise<CliEnd> {
    const end = await runSealkv(words);
    this.printed.push(end.stdout, end.stderr);
    return end;
  }

  /**
   * A change that works; what it printed as JSON. Given again, as its remedy
   * says, where a member did not answer in time: the machine may be busy.
   */
  async change(...words: readonly string[]): Promise<Changed> {
    const all = ["encryption", ...words, "--json"];
    const end = await until(words.join(" "), AGREED_MS_MAX, async () => {
      const end = await this.run(...all);
      return LATE.test(end.stderr) ? null : end;
    });
    equal(end.code, 0, `${words.join(" ")}: ${end.stderr}`);
    return JSON.parse(end.stdout) as Changed;
  }

  /** A call at the leader, as curl makes it. */
  async ask(rpc: string, body: unknown = {}): Promise<AdminAnswer> {
    const admin = this.cluster.admin(await this.cluster.leader());
    return await callAdmin(admin, rpc, body);
  }

  /** Of every member that runs; `null` when one does not answer. */
  async seen(): Promise<readonly SeenEncryption[] | null> {
    const { cluster } = this;
    const seen = await Promise.all(
      cluster.running.map((name) => encryptionAt(cluster.admin(name))),
    );
    return seen.every((one) => one !== null) ? seen : null;
  }

  /**
   * Waits until all that run say the same, their sidecars are as new, and the
   * registry knows what each of them has.
   */
  async agreed(): Promise<SeenEncryption> {
    const seen = await until(
      "members agree on encryption",
      AGREED_MS_MAX,
      async () => {
        const seen = await this.seen();
        return seen !== null && seen.every((one) => isSame(one, seen[0]!))
          ? seen
          : null;
      },
    );
    const [first] = seen;
    for (const { node } of seen) {
      const { index } = await this.sidecar(node);
      equal(index, first!.stateIndex, `the sidecar of "${node}"`);
    }
    return first!;
  }

  /** As `agreed`; then `encryption status` says so too. */
  async agreedByStatus(): Promise<SeenEncryption> {
    const first = await this.agreed();
    await this.#statusAgrees(first);
    return first;
  }

  /** What `encryption status --json` says, which is what members say. */
  async #statusAgrees(first: SeenEncryption): Promise<void> {
    const { code, stdout, stderr } = await this.run(
      ...["encryption", "status", "--json"],
    );
    equal(code, 0, stderr);
    const status = JSON.parse(stdout) as Status;
    const isWhole = this.cluster.running.length === status.members.length;
    equal(status.agree, isWhole, stdout);
    equal(status.silent.length === 0, isWhole, stdout);
    equal(status.stateIndex, String(first.stateIndex));
    deepEqual(
      status.keys.map(({ id, active, keks }) => ({ id, active, keks })),
      first.keys.map(({ id, active, keks }) => ({ id, active, keks })),
    );
    for (const { member, error, ...own } of status.members) {
      if (!this.cluster.running.includes(member)) {
        ok(error !== undefined, stdout);
        continue;
      }
      deepEqual(own.gaps, [], member);
      equal(own.sidecarIndex, String(first.stateIndex), member);
      equal(own.stateIndex, String(first.stateIndex), member);
    }
  }

  /** `text` is `null` and `index` 0 without one. */
  async sidecar(name: string): Promise<Sidecar> {
    const { dataDir } = this.cluster.place(name);
    try {
      const text = await Deno.readTextFile(`${dataDir}/encryption/keys.json`);
      return { text, index: Number(JSON.parse(text)["applied_index"]) };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) {
        return { text: null, index: 0 };
      }
      throw error;
    }
  }

  /** `kill -9` and back; all agree again. */
  async killAndBack(name: string): Promise<void> {
    await this.cluster.kill(name);
    await this.cluster.start(name);
    await this.cluster.agreed();
  }

  /** Ends in order and comes back with these flags of its own. */
  async restart(name: string, args: readonly string[]): Promise<void> {
    const { cluster } = this;
    const node = cluster.node(name);
    equal(await cluster.stop(name), 0, node.output);
    cluster.setArgs(name, args);
    await cluster.start(name);
    await cluster.agreed();
  }

  /** Comes back with these flags; how it refuses to. */
  async refusesToStart(
    name: string,
    args: readonly string[],
    { code, exit, says = [] }: Refusal,
  ): Promise<void> {
    const { cluster } = this;
    const own = cluster.place(name).args ?? [];
    const before = await this.sidecar(name);
    cluster.setArgs(name, args);
    await cluster.launch(name);
    const end = await cluster.ended(name);
    cluster.setArgs(name, own);
    equal(end.code, exit, end.stderr);
    assertReport(end.stderr, code, says);
    deepEqual(await this.sidecar(name), before);
  }

  /** Makes `name` the leader, and waits until it hears all that run. */
  async lead(name: string): Promise<void> {
    await until(`"${name}" leads`, AGREED_MS_MAX, async () => {
      if (await this.cluster.leaderNow() === name) return true;
      await this.ask("ClusterAdmin/TransferLeader", { name });
      return await this.cluster.leaderNow() === name;
    });
    await this.cluster.agreed();
    // A follower may know its new leader before that one has heard it.
    await this.cluster.statusThat(
      name,
      "hears all",
      ({ members }) =>
        this.cluster.running.every((one) =>
          members.some((member) => member.name === one && member.ready)
        ),
    );
  }

  /** Everything that a refused call must leave as it is, by member. */
  async snapshot(): Promise<Readonly<Record<string, unknown>>> {
    const { cluster } = this;
    const seen = await until(
      "all members answer",
      AGREED_MS_MAX,
      () => this.seen(),
    );
    const parts = cluster.names.map(async (name) => {
      const encryption = seen.find(({ node }) => node === name) ?? null;
      return [name, { encryption, ...await this.sidecar(name) }] as const;
    });
    return Object.fromEntries(await Promise.all(parts));
  }

  /** A command that the cluster refuses. */
  async refuses(words: readonly string[], refusal: Refusal): Promise<void> {
    const end = await this.run("encryption", ...words);
    const said = `${words.join(" ")}: ${end.stdout}${end.stderr}`;
    equal(end.code, refusal.exit, said);
    equal(end.stdout, "", said);
    assertReport(end.stderr, refusal.code, refusal.says);
  }

  /** Lines of a member's audit log; the chain holds. */
  async audit(name: string): Promise<readonly AuditLine[]> {
    const lines = (await this.#auditText(name)).split("\n").slice(0, -1);
    const { isBroken } = followChain(lines, { isWhole: true });
    ok(!isBroken, `the audit log of "${name}" is one chain`);
    return lines.map((line) => JSON.parse(line) as AuditLine)
      .filter(({ event }) => event === undefined);
  }

  /** "" for a member that was never asked for a change. */
  async #auditText(name: string): Promise<string> {
    try {
      const { dataDir } = this.cluster.place(name);
      return await Deno.readTextFile(`${dataDir}/audit.log`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }

  /** Lines that `task` added, by member; none of the others. */
  async audited(
    task: () => Promise<void>,
  ): Promise<ReadonlyMap<string, readonly AuditLine[]>> {
    const { names } = this.cluster;
    const before = new Map<string, number>();
    for (const name of names) before.set(name, (await this.audit(name)).length);
    await task();
    const added = new Map<string, readonly AuditLine[]>();
    for (const name of names) {
      const lines = (await this.audit(name)).slice(before.get(name));
      if (lines.length > 0) added.set(name, lines);
    }
    return added;
  }

  /**
   * Lines that `task` added at whoever led then, before another one or after
   * it; there are none elsewhere.
   */
  async auditedByLeader(
    task: () => Promise<void>,
  ): Promise<readonly AuditLine[]> {
    const before = await this.cluster.leader();
    const added = await this.audited(task);
    const after = await this.cluster.leader();
    const others = [...added.keys()]
      .filter((name) => name !== before && name !== after);
    deepEqual(others, [], "who does not lead was asked for nothing");
    // One that leads no more, or does not yet, sends callers on.
    const isMoved = before !== after;
    return [...added.values()].flat()
      .filter(({ code }) => !(isMoved && SENT_ON.has(code)));
  }

  /** Numbers of a member, by series. */
  async metrics(name: string): Promise<ReadonlyMap<string, number>> {
    const response = await fetch(`${this.cluster.url(name)}/metrics`);
    const text = await response.text();
    this.printed.push(text);
    const lines = text.split("\n").filter((line) => /^sealkv_/.test(line));
    return new Map(lines.map((line) => {
      const cut = line.lastIndexOf(" ");
      return [line.slice(0, cut), Number(line.slice(cut + 1))];
    }));
  }

  /** What is served about encryption is what members say. */
  async assertMetrics(): Promise<void> {
    for (const one of await this.seen() ?? fail("a member does not answer")) {
      const metrics = await this.metrics(one.node);
      const value = (series: string) =>
        metrics.get(`sealkv_encryption_${series}`);
      for (const purpose of ["storage", "raft"]) {
        const key = one.keys.find((key) =>
          key.active && key.purpose === purpose
        );
        equal(value(`active_key_id{purpose="${purpose}"}`), key?.id ?? 0);
        equal(
          value(`local_epoch{purpose="${purpose}"}`),
          one.own.epochs.get(key?.id ?? 0),
        );
      }
      for (const { id, purpose } of one.keys) {
        const expected = purpose === "state" ? undefined : 0;
        equal(value(`seals_total{key_id="${id}"}`), expected);
      }
      for (const kind of ["storage", "raft", "cleartext_lock"]) {
        equal(value(`cutover_index{kind="${kind}"}`), 0);
      }
      ok(value("kek_unwrap_seconds_count")! > 0, "KEKs were asked");
    }
  }

  /**
   * Nothing that the cluster or its commands wrote, and no command line of this
   * machine, shows any of these.
   */
  async assertShowsNone(secrets: readonly Uint8Array[]): Promise<void> {
    const { cluster, printed } = this;
    const texts = [
      ...cluster.outputs.map(({ output }) => output),
      ...printed,
      ...await commandLines(),
    ];
    for (const name of new Set([...cluster.names, ...cluster.running])) {
      texts.push(await this.#auditText(name));
      texts.push((await this.sidecar(name)).text ?? "");
    }
    const all = texts.join("\n");
    ok(all.includes("sealkv.admin.v1"), "the audit logs were searched");
    for (const secret of secrets) {
      for (const form of formsOf(secret)) {
        ok(!all.includes(form), "no KEK shows anywhere");
      }
    }
  }

  /** No founding member stopped by itself once it ran. */
  assertNoHalt(): void {
    const { names, outputs } = this.cluster;
    for (const { name, output } of outputs) {
      if (!names.includes(name)) continue;
      ok(!output.includes('"event":"node_failed"'), `"${name}" halted`);
    }
  }
}

interface Changed {
  readonly changed: boolean;
  readonly index: string;
  readonly plan: { readonly hash: string };
  readonly unreachable: readonly string[];
}

interface Sidecar {
  readonly text: string | null;
  /** Its `applied_index`. */
  readonly index: number;
}

interface Status {
  readonly agree: boolean;
  readonly silent: readonly string[];
  readonly stateIndex: string;
  readonly keys: readonly {
    readonly id: number;
    readonly active: boolean;
    readonly keks: readonly string[];
  }[];
  readonly members: readonly {
    readonly member: string;
    readonly error?: unknown;
    readonly gaps: readonly string[];
    readonly sidecarIndex: string;
    readonly stateIndex: string;
  }[];
}

/** What, why, what to do: each on a line of its own, and nothing else. */
export function assertReport(
  stderr: string,
  code: string,
  says: readonly (string | RegExp)[] = [],
): void {
  match(
    stderr,
    new RegExp(
      `^error\\[${code}\\]: [^\\n]+\\n(?:cause: [^\\n]+\\n)*remedy: [^\\n]+\\n$`,
      "m",
    ),
  );
  const report = stderr.slice(stderr.indexOf(`error[${code}]`));
  for (const words of says) {
    ok(
      typeof words === "string" ? report.includes(words) : words.test(report),
      `"${words}" is not in: ${report}`,
    );
  }
}

/** The same state, as new a sidecar, and every own epoch is registered. */
function isSame(
  { shared, stateIndex, keys, own, node }: SeenEncryption,
  first: SeenEncryption,
): boolean {
  return shared === first.shared && own.sidecarIndex === stateIndex &&
    keys.filter(({ active }) => active).every(({ id, writers }) =>
      writers.get(node) === own.epochs.get(id)
    );
}

async function commandLines(): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // A process may end meanwhile.
    lines.push(
      await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => ""),
    );
  }
  return lines;
}
