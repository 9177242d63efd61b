import type { ChangeTerms, MemberRequest } from "../../../src/node/port.ts";
import { fail } from "../raft/checkers.ts";
import type { Dice } from "../raft/dice.ts";
import type { Host } from "./host.ts";
import { addressOf, CLUSTER_NAME } from "./sim_node.ts";
import type { World } from "./world.ts";

const TERMS: ChangeTerms = {
  dryRun: false,
  planHash: "",
  confirm: CLUSTER_NAME,
  accept: [],
};
/** A change may wait for an election, a learner that catches up. */
const CHANGE_MS_MAX = 20_000;

/** Changes the members at bad moments, one change at a time. */
export class Operator {
  readonly #world: World;
  readonly #dice: Dice;
  /** Members of changes that are not answered yet. */
  readonly #asked: string[] = [];
  readonly #removed = new Set<string>();
  /** Members of changes whose outcome is not known: they may still happen. */
  readonly #uncertain = new Set<string>();
  /** The last change, if it was refused: whether its member was one. */
  #refused: { what: string; name: string; wasMember: boolean } | null = null;

  constructor(world: World) {
    this.#world = world;
    this.#dice = world.dice.split("operator");
  }

  /** `host` was taken out before all began. */
  isRemoved({ name }: Host): void {
    this.#removed.add(name);
  }

  /** Does something, unless the last thing is still going on. */
  act(): void {
    if (this.#asked.length > 0 || this.#world.hosts.length === 1) return;
    const { hosts, atlas } = this.#world;
    const broken = hosts.filter(({ name }) => atlas.damaged.has(name));
    if (this.#dice.chance(0.2)) {
      const host = this.#dice.pick(broken.length > 0 ? broken : hosts);
      return void this.rebuild(host);
    }
    void this.#do(this.#draw());
  }

  /**
   * Tells whether `error` is what becomes of a member that was taken out, or
   * that asks to join too early.
   */
  explains({ name, joins }: Host, error: Error): boolean {
    if (error.name === "JoinRefusedError") return joins;
    return error.name === "MemberRemovedError" && this.#removed.has(name);
  }

  /** Takes `host` out and puts it back with an empty disk, a new member. */
  async rebuild(host: Host): Promise<boolean> {
    const world = this.#world;
    const { name } = host;
    if (world.truth.members().length === 0) return false;
    if (!world.atlas.claim(name, world.voters())) return false;
    if (world.truth.members().includes(name)) {
      await this.#do({ kind: "remove", name });
    }
    if (world.truth.members().includes(name)) return false;
    if (host.isRunning) host.crash("kill");
    host.replaceDisk();
    host.joins = true;
    host.isForeign = false;
    host.damagedReads = false;
    host.isPutBack = false;
    host.keys?.set("right", world.now);
    if (!await this.#do(this.#add(name))) return false;
    world.atlas.release(name);
    host.start();
    return true;
  }

  /** Hands the leadership to `host`; tells whether that was answered. */
  transfer({ name }: Host): Promise<boolean> {
    return this.#do({ kind: "transfer-leader", name });
  }

  /** What was refused changed nothing, not later either. */
  checkRefused(): void {
    const refused = this.#refused;
    this.#refused = null;
    if (refused === null) return;
    const { what, name, wasMember } = refused;
    if (this.#isMember(name) === wasMember) return;
    this.#world.guard(() => fail("RefusedChange", `${what}, and it was done`));
  }

  #isMember(name: string): boolean {
    return this.#world.truth.members().includes(name);
  }

  #draw(): MemberRequest {
    const dice = this.#dice;
    const { name } = dice.pick(this.#world.hosts);
    switch (dice.below(7)) {
      case 0:
      case 1:
        return { kind: "promote", name };
      case 2:
        return { kind: "remove", name: "nobody" };
      case 3:
        // Taken, most of the time.
        return this.#add(name);
      case 4:
        return { kind: "transfer-leader", name: "" };
      default:
        return { kind: "transfer-leader", name };
    }
  }

  #add(name: string): MemberRequest {
    const peerAddress = addressOf(name);
    return { kind: "add", name, peerAddress, promote: true };
  }

  async #do(request: MemberRequest): Promise<boolean> {
    const world = this.#world;
    const host = world.leader() ?? this.#dice.pick(world.hosts);
    this.checkRefused();
    const { name } = request;
    // The peace does not wait for what the faults left unanswered.
    for (const other of this.#asked) this.#uncertain.add(other);
    if (this.#asked.length > 0) this.#uncertain.add(name);
    this.#asked.push(name);
    const wasMember = this.#isMember(name);
    const isFounded = world.truth.members().length > 0;
    if (request.kind === "remove") this.#removed.add(request.name);
    const what = `operator at ${host.name}: ${request.kind} ${request.name}`;
    world.note(what);
    const answer = await world.asking.ask(
      host,
      (node) => node.changeMembers(request, TERMS),
      CHANGE_MS_MAX,
    );
    const how = answer.kind === "refused" ? answer.code : answer.kind;
    world.note(`${what}: ${how}`);
    if (answer.kind === "lost") this.#uncertain.add(name);
    // The founding brings members that nobody asked for.
    const isSure = isFounded && !this.#uncertain.has(name);
    if (answer.kind === "refused" && isSure) {
      this.#refused = { what: `${what}: ${how}`, name, wasMember };
    }
    this.#asked.splice(this.#asked.indexOf(name), 1);
    return answer.kind === "answered";
  }
}
