import type { ChangeTerms, MemberRequest } from "../../../src/node/port.ts";
import type { Dice } from "../raft/dice.ts";
import type { Host } from "./host.ts";
import { CLUSTER_NAME, PEER_PORT } from "./sim_node.ts";
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
  #isBusy = false;

  constructor(world: World) {
    this.#world = world;
    this.#dice = world.dice.split("operator");
  }

  /** Does something, unless the last thing is still going on. */
  act(): void {
    if (this.#isBusy || this.#world.hosts.length === 1) return;
    void this.#do(this.#draw());
  }

  /** Takes `host` out and puts it back with an empty disk, whatever it takes. */
  async rebuild(host: Host): Promise<boolean> {
    const { name } = host;
    await this.#do({ kind: "remove", name });
    host.stop();
    await this.#world.asking.pass(1_000);
    if (host.isRunning) host.crash("kill");
    host.replaceDisk();
    host.joins = true;
    host.isForeign = false;
    host.damagedReads = false;
    host.start();
    const added = await this.#do(this.#add(name));
    if (added) this.#world.atlas.release(name);
    return added;
  }

  #draw(): MemberRequest {
    const dice = this.#dice;
    const { name } = dice.pick(this.#world.hosts);
    switch (dice.below(8)) {
      case 0:
        return { kind: "remove", name };
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
    const peerAddress = `${name}:${PEER_PORT}`;
    return { kind: "add", name, peerAddress, promote: true };
  }

  async #do(request: MemberRequest): Promise<boolean> {
    const world = this.#world;
    const host = world.leader() ?? this.#dice.pick(world.hosts);
    this.#isBusy = true;
    const what = `operator at ${host.name}: ${request.kind} ${request.name}`;
    world.note(what);
    const answer = await world.asking.ask(
      host,
      (node) => node.changeMembers(request, TERMS),
      CHANGE_MS_MAX,
    );
    const how = answer.kind === "refused" ? answer.code : answer.kind;
    world.note(`${what}: ${how}`);
    this.#isBusy = false;
    return answer.kind === "answered";
  }
}
