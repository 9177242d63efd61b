import { NodeError } from "../../../../src/base/error.ts";
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
import { nextStep } from "../rollout/ladder.ts";
import { CLUSTER_NAME, type SimNode } from "../sim_node.ts";
import type { World } from "../world.ts";
import { KeyRequests, TERMS } from "./key_requests.ts";
import type { KeySwarm } from "./key_swarm.ts";

/** A change may wait for an election, and for a provider of KEKs. */
const CHANGE_MS_MAX = 15_000;
const AT_ONCE_MAX = 2;
const BEGIN_AGAIN_MS = 150;

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

/** What a step of the ladder may be refused with, beside that. */
const STEP_REFUSALS: readonly string[] = [
  "NODE_PHASE_TOO_LOW",
  "NODE_CONFIRMATION_WRONG",
  "NODE_DWELL_NOT_OVER",
  "NODE_CLEARTEXT_REMAINS",
  "NODE_CLEARTEXT_UNLOCKED",
  "NODE_CUTOVER_ABORTED",
  "NODE_REWRITE_NOT_STARTED",
  "NODE_KEY_IN_USE",
  "NODE_KEY_NOT_RETIRABLE",
  "NODE_MEMBER_SILENT",
  "NODE_MEMBER_TASK_FAILED",
  "NODE_MEMBER_UNKNOWN",
];

/** Draws the first keys itself when there are none. */
const BRINGS_KEYS = "enable-storage-envelope";

/** Changes of keys that are no steps. */
const BEFORE_STEPS: readonly string[] = [
  "bootstrap",
  "rotate-dek",
  "rewrap-deks",
  "register-writer",
];

/** What members go on with by themselves. */
const JOBS: readonly string[] = [
  "start-rewrite",
  "pause-rewrite",
  "resume-rewrite",
  "update-rollout",
];

/** What members propose by themselves. */
const UNASKED: readonly string[] = ["registration"];

/** Steps that nobody can take back. */
const ONE_WAY: readonly string[] = [
  "enable-storage-envelope",
  "seal-cleartext",
  "enable-raft-envelope",
  "retire-dek",
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
  readonly #swarm: KeySwarm;
  readonly #requests: KeyRequests;
  /** Others asked for what is in the log up to here. */
  readonly #from: number;
  readonly #asked: Asked[] = [];
  #underWay = 0;
  #isStopped = false;

  constructor(world: World, swarm: KeySwarm) {
    this.#world = world;
    this.#swarm = swarm;
    this.#dice = world.dice.split("key operator");
    this.#requests = new KeyRequests(world, swarm);
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
    const brings = kind === "bootstrap" ? BRINGS_KEYS : kind;
    return this.#asked.some(({ kind: own, answer, askedMs }) =>
      (own === kind || own === brings) && askedMs <= untilMs &&
      answer !== "refused" && (answer === null || answer.index >= index)
    );
  }

  /** Has the first keys drawn, and the first steps taken, as soon as can be. */
  async begin(): Promise<void> {
    const { hasKeysFirst, rollout } = this.#swarm;
    if (hasKeysFirst) await this.#insist(() => ({ kind: "bootstrap" }));
    for (let i = rollout?.stepsFirst ?? 0; i > 0; i -= 1) {
      await this.#insist(() => nextStep(this.#world.truth.fsm));
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
    const ownKinds = this.#swarm.rollout?.rotateOnStart === true
      ? [...UNASKED, "rotate-dek"]
      : UNASKED;
    for (const one of this.#asked) {
      const { answer, kind } = one;
      if (answer === null || answer === "refused" || answer.index === 0) {
        continue;
      }
      if (answer.index <= this.#from) continue;
      const found = changes.find(({ index }) => index === answer.index);
      if (found?.isTaken !== true || !isAnswer(kind, found.kind, answer)) {
        fail("ChangeAnswer", `${kind} was answered with ${answer.index}`);
      }
      if (answer.isChanged) answered.set(answer.index, one);
    }
    for (const { index, kind, isTaken } of changes) {
      if (index <= this.#from || ownKinds.includes(kind)) continue;
      if (answered.has(index)) continue;
      if (kind === "bootstrap" && this.#mayBringKeys(index)) continue;
      const at = unknown.findIndex((one) => loggedAs(one.kind) === kind);
      if (at >= 0) unknown.splice(at, 1);
      else if (isTaken) {
        fail("RefusedChange", `nobody was told of ${kind} at ${index}`);
      }
    }
  }

  /** Whether a storage cutover that found no keys may have drawn them. */
  #mayBringKeys(index: number): boolean {
    return this.#asked.some(({ kind, answer }) =>
      kind === BRINGS_KEYS && answer !== "refused" &&
      (answer === null || answer.index > index)
    );
  }

  async #act(): Promise<void> {
    const world = this.#world;
    const dice = this.#dice;
    const leader = dice.chance(0.85) ? world.leader() : null;
    const host = leader ?? dice.pick(world.hosts);
    const request = await this.#requests.draw();
    const terms = this.#requests.drawTerms();
    await this.#ask(host, request, terms);
  }

  /** Asks until it is done, or until it is stopped. */
  async #insist(request: () => EncryptionRequest): Promise<void> {
    while (!this.#isStopped && !await this.change(request())) {
      await this.#world.asking.pass(BEGIN_AGAIN_MS);
    }
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
      this.#requests.lastHash = answer.value.plan.hash;
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
      // What is no change of keys is in the log, as a client's write is.
      if (!JOBS.includes(request.kind)) {
        this.#world.checkDurable(host, result.index);
      }
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

/** Of a job that is as asked already any entry about it may be told. */
function isAnswer(
  kind: ChangeKind,
  logged: string,
  { isChanged }: EncryptionResult,
): boolean {
  if (logged === loggedAs(kind)) return true;
  return !isChanged && JOBS.includes(kind) && JOBS.includes(logged);
}

/** A registration is of any life of any node, asked for or not. */
function loggedAs(kind: ChangeKind): string {
  switch (kind) {
    case "register-writer":
      return "registration";
    case "update-rollout":
      return "dwell";
    default:
      return kind;
  }
}

function judge(
  { what, request: { kind }, terms }: {
    readonly what: string;
    readonly request: EncryptionRequest;
    readonly terms: ChangeTerms;
  },
  answer: Answer<EncryptionResult>,
): void {
  if (answer.kind === "lost") return;
  if (answer.kind === "answered") {
    if (!answer.value.isChanged) return;
    if (terms.dryRun) fail("DryRun", what);
    if (ONE_WAY.includes(kind) && terms.confirm !== CLUSTER_NAME) {
      fail("Unconfirmed", what);
    }
    return;
  }
  if (REFUSALS.includes(answer.code)) return;
  const isStep = !BEFORE_STEPS.includes(kind);
  if (isStep && STEP_REFUSALS.includes(answer.code)) return;
  fail("OddRefusal", `${what}: ${answer.code}`);
}
