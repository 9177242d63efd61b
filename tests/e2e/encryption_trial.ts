import { deepEqual, equal, match, ok } from "node:assert/strict";
import type { AdminAnswer } from "./admin_call.ts";
import type { ClusterLoad } from "./cluster_load.ts";
import type { ClusterProcess } from "./cluster_process.ts";
import type { EncryptedCluster, Refusal } from "./encrypted_cluster.ts";

/** A machine that is busy is no reason for an election. */
export const PATIENT = ["--election-ms", "1000"];
/** Where no leader dies: a busy one is not to be replaced at all. */
export const VERY_PATIENT = ["--election-ms", "2500"];
/** Clients that write all the time, and leave the machine to the members. */
export const CALM = { callers: 1, pauseMs: 100 };

const RPC_OF: Readonly<Record<string, string>> = {
  "bootstrap": "Bootstrap",
  "rotate-dek": "RotateDek",
  "rewrap-deks": "RewrapDeks",
};

/** Three members, clients that write, and an operator who errs. */
export class Trial {
  readonly encrypted: EncryptedCluster;
  readonly load: ClusterLoad;

  constructor(encrypted: EncryptedCluster, load: ClusterLoad) {
    this.encrypted = encrypted;
    this.load = load;
  }

  get cluster(): ClusterProcess {
    return this.encrypted.cluster;
  }

  /** `task` changes nothing, and clients are served after it. */
  async changesNothing(task: () => Promise<void>): Promise<void> {
    await this.encrypted.agreed();
    const before = await this.encrypted.snapshot();
    await task();
    deepEqual(await this.encrypted.snapshot(), before);
    await this.load.progress(1);
  }

  /** A command that the cluster refuses, which the leader's audit log shows. */
  async refuses(words: readonly string[], refusal: Refusal): Promise<void> {
    const { encrypted } = this;
    const [command = ""] = words;
    await this.changesNothing(async () => {
      const lines = await encrypted.auditedByLeader(() =>
        encrypted.refuses(words, refusal)
      );
      equal(lines.length, 1, words.join(" "));
      const [line] = lines;
      match(line!.call, new RegExp(`EncryptionAdmin/${RPC_OF[command]}$`));
      deepEqual(
        [line!.code, line!.result, line!.changed, line!.index],
        [refusal.code, "refused", false, "0"],
      );
    });
  }

  /** A call that the leader refuses; its audit log has a line if `isKept`. */
  async refusesCall(
    [rpc, body]: readonly [rpc: string, body: unknown],
    reason: string,
    { isKept = true } = {},
  ): Promise<AdminAnswer> {
    const { encrypted } = this;
    let answer: AdminAnswer | null = null;
    await this.changesNothing(async () => {
      const lines = await encrypted.auditedByLeader(async () => {
        answer = await encrypted.ask(rpc, body);
      });
      deepEqual(
        lines.map(({ call, code, result }) => `${call} ${code} ${result}`),
        isKept ? [`sealkv.admin.v1.${rpc} ${reason} refused`] : [],
      );
    });
    equal(answer!.reason, reason, JSON.stringify(answer));
    ok(answer!.status >= 400 && answer!.remedy !== "");
    return answer!;
  }

  /** Comes back with these flags; the others go on. */
  restart(name: string, args: readonly string[]): Promise<void> {
    return this.encrypted.restart(name, args);
  }
}
