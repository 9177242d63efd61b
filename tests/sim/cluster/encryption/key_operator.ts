import { NodeError } from "../../../../src/base/error.ts";
import { kekIdOf } from "../../../../src/crypto/kek_wrap.ts";
import type {
  EncryptionPort,
  EncryptionRequest,
  EncryptionResult,
} from "../../../../src/node/encryption_port.ts";
import type { ChangeTerms } from "../../../../src/node/port.ts";
import { fail } from "../../raft/checkers.ts";
import type { Dice } from "../../raft/dice.ts";
import type { Answer } from "../ask.ts";
import type { Host } from "../host.ts";
import { CLUSTER_NAME, type SimNode } from "../sim_node.ts";
import type { World } from "../world.ts";
import { kekBytes } from "./host_keys.ts";
import type { KeySwarm } from "./key_swarm.ts";

/** A change may wait for an election, and for a provider of KEKs. */
const CHANGE_MS_MAX = 15_000;
const AT_ONCE_MAX = 2;
const BEGIN_AGAIN_MS = 150;

const TERMS: ChangeTerms = {
  dryRun: false,
  planHash: "",
  confirm: CLUSTER_NAME,
  accept: [],
};

/** Steps of the ladder that come in a later release. */
const LATER: readonly EncryptionRequest[] = [
  { kind: "enable-storage-envelope" },
  { kind: "enable-raft-envelope" },
  { kind: "seal-cleartext" },
  { kind: "retire-dek", keyId: 1 },
  { kind: "start-rewrite", bytesPerSecond: 0 },
  { kind: "pause-rewrite" },
  { kind: "resume-rewrite", bytesPerSecond: null },
  { kind: "scrub", members: [] },
  { kind: "update-rollout", dwellUntilMs: 0 },
];
const NOT_AVAILABLE = "NODE_ENCRYPTION_NOT_AVAILABLE";

/** What a change of encryption may be refused with. */
const REFUSALS: readonly string[] = [
  "unreachable",
  "NODE_NOT_LEADER",
  "NODE_NOT_READY",
  "NODE_ENCRYPTION_GATE_CLOSED",
  "NODE_NOT_BOOTSTRAPPED",
  "NODE_CAPABILITY_UNPROVEN",
  "NODE_CHANGE_UNDER_WAY",
  "NODE_MEMBER_CHANGE_REFUSED",
  "NODE_ENCRYPTION_REFUSED",
  "NODE_PLAN_STALE",
  "KEYS_KEK_UNAVAILABLE",
  "KEYS_KEK_UNKNOWN",
  "KEYS_KEK_MISMATCH",
];

type ChangeKind = EncryptionRequest["kind"];

/** One change that was asked for. */
interface Asked {
  readonly kind: ChangeKind;
  readonly askedMs: number;
  /** `null` while nobody knows: it may come yet. */
  answer: EncryptionResult | "refused" | null;
}

/** Asks for changes of encryption at bad moments, two at once at most. */
export class KeyOperator {
  readonly #world: World;
  readonly #dice: Dice;
  readonly #kekCount: number;
  /** Others asked for what is in the log up to here. */
  readonly #from: number;
  readonly #asked: Asked[] = [];
  #underWay = 0;
  #isStopped = false;
  #kekIds: readonly string[] = [];
  #lastHash = "";

  constructor(world: World, { kekCount }: KeySwarm) {
    this.#world = world;
    this.#dice = world.dice.split("key operator");
    this.#kekCount = kekCount;
    this.#from = world.truth.last;
  }

  /** Changes that were carried out, by kind. */
  get done(): readonly ChangeKind[] {
    return this.#asked.filter(({ answer }) =>
      answer !== null && answer !== "refused" && answer.isChanged
    ).map(({ kind }) => kind);
  }

  act(): void {
    if (this.#underWay >= AT_ONCE_MAX) return;
    void this.#act();
  }

  /** Whether the change at `index` may have been asked for before `untilMs`. */
  mayHaveAsked(kind: string, index: number, untilMs: number): boolean {
    return this.#asked.some(({ kind: own, answer, askedMs }) =>
      own === kind && askedMs <= untilMs && answer !== "refused" &&
      (answer === null || answer.index === index)
    );
  }

  /** Has the first keys drawn as soon as that can be. */
  async begin(): Promise<void> {
    while (!this.#isStopped && !await this.change({ kind: "bootstrap" })) {
      await this.#world.asking.pass(BEGIN_AGAIN_MS);
    }
  }

  /** Asks for nothing more by itself. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Asks for `request` in peace, through the leader. */
  async change(request: EncryptionRequest): Promise<boolean> {
    const host = this.#world.leader();
    if (host === null) return false;
    const answer = await this.#ask(host, request, TERMS);
    return answer.kind === "answered";
  }

  /** Every change in the log was asked for, and every answer is true. */
  check(): void {
    const { changes } = this.#world.truth;
    const unknown = this.#asked.filter(({ answer }) => answer === null);
    const answered = new Map<number, Asked>();
    for (const one of this.#asked) {
      const { answer, kind } = one;
      if (answer === null || answer === "refused" || answer.index === 0) {
        continue;
      }
      if (answer.index <= this.#from) continue;
      const found = changes.find(({ index }) => index === answer.index);
      if (found?.isTaken !== true || found.kind !== loggedAs(kind)) {
        fail("ChangeAnswer", `${kind} was answered with ${answer.index}`);
      }
      if (answer.isChanged) answered.set(answer.index, one);
    }
    for (const { index, kind, isTaken } of changes) {
      if (index <= this.#from || kind === "registration") continue;
      if (answered.has(index)) continue;
      const at = unknown.findIndex((one) => one.kind === kind);
      if (at >= 0) unknown.splice(at, 1);
      else if (isTaken) {
        fail("RefusedChange", `nobody was told of ${kind} at ${index}`);
      }
    }
  }

  async #act(): Promise<void> {
    const world = this.#world;
    const dice = this.#dice;
    const leader = dice.chance(0.85) ? world.leader() : null;
    const host = leader ?? dice.pick(world.hosts);
    const request = await this.#draw();
    const terms: ChangeTerms = {
      ...TERMS,
      dryRun: dice.chance(0.15),
      planHash: dice.chance(0.8)
        ? ""
        : dice.chance(0.6)
        ? this.#lastHash
        : "0123456789abcdef",
    };
    await this.#ask(host, request, terms);
  }

  async #draw(): Promise<EncryptionRequest> {
    const dice = this.#dice;
    const kind = dice.pick(
      [
        ...["bootstrap", "bootstrap", "bootstrap", "rotate-dek", "rotate-dek"],
        ...["rotate-dek", "rewrap-deks", "rewrap-deks", "register-writer"],
        "later",
      ] as const,
    );
    switch (kind) {
      case "bootstrap":
      case "register-writer":
        return { kind };
      case "rotate-dek":
        return { kind, purpose: dice.pick(["storage", "raft"] as const) };
      case "rewrap-deks":
        return { kind, keks: await this.#drawKeks() };
      default:
        return dice.pick(LATER);
    }
  }

  async #drawKeks(): Promise<readonly string[]> {
    if (this.#kekIds.length === 0) {
      const numbers = Array.from({ length: this.#kekCount }, (_, i) => i + 1);
      this.#kekIds = await Promise.all(
        numbers.map(async (one) => `file:${await kekIdOf(kekBytes(one))}`),
      );
    }
    const dice = this.#dice;
    if (dice.chance(0.1)) return ["file:of-nobody"];
    if (dice.chance(0.2)) return [];
    return dice.chance(0.3) ? this.#kekIds : [dice.pick(this.#kekIds)];
  }

  async #ask(
    host: Host,
    request: EncryptionRequest,
    terms: ChangeTerms,
  ): Promise<Answer<EncryptionResult>> {
    const world = this.#world;
    const { kind } = request;
    const asked: Asked = { kind, askedMs: world.now, answer: null };
    if (!terms.dryRun) this.#asked.push(asked);
    this.#underWay += 1;
    const how = `${terms.dryRun ? " (dry run)" : ""} ${terms.planHash}`;
    const what = `key operator at ${host.name}: ${JSON.stringify(request)}`;
    world.note(what + how);
    const answer = await world.asking.ask(
      host,
      (node) => this.#call(host, node, request, terms),
      CHANGE_MS_MAX,
    );
    this.#underWay -= 1;
    const code = answer.kind === "refused" ? answer.code : answer.kind;
    world.note(`${what}: ${code}`);
    if (answer.kind === "refused") asked.answer = "refused";
    if (answer.kind === "answered") {
      asked.answer = answer.value;
      this.#lastHash = answer.value.plan.hash;
    }
    world.guard(() => judge({ what, request, terms }, answer));
    return answer;
  }

  async #call(
    host: Host,
    node: SimNode,
    request: EncryptionRequest,
    terms: ChangeTerms,
  ): Promise<EncryptionResult> {
    try {
      const port = node.encryption as EncryptionPort;
      const result = await port.changeEncryption(request, terms);
      await this.#world.checkDurable(host, result.index);
      return result;
    } catch (error) {
      if (!(error instanceof NodeError)) {
        this.#world.guard(() => {
          throw error;
        });
      }
      throw error;
    }
  }
}

/** A registration is of any life of any node, asked for or not. */
function loggedAs(kind: ChangeKind): string {
  return kind === "register-writer" ? "registration" : kind;
}

function judge(
  { what, request, terms }: {
    readonly what: string;
    readonly request: EncryptionRequest;
    readonly terms: ChangeTerms;
  },
  answer: Answer<EncryptionResult>,
): void {
  const isLater = LATER.some(({ kind }) => kind === request.kind);
  if (answer.kind === "lost") return;
  if (answer.kind === "answered") {
    if (isLater) fail("NotAvailable", `${what} was answered`);
    if (terms.dryRun && answer.value.isChanged) fail("DryRun", what);
    return;
  }
  const { code } = answer;
  const isRight = isLater
    ? [NOT_AVAILABLE, "unreachable"].includes(code)
    : REFUSALS.includes(code);
  if (!isRight) fail("OddRefusal", `${what}: ${code}`);
}
