import { kekIdOf } from "../../../../src/crypto/kek_wrap.ts";
import type { EncryptionRequest } from "../../../../src/node/encryption_port.ts";
import type { ChangeTerms } from "../../../../src/node/port.ts";
import type { Dice } from "../../raft/dice.ts";
import { nextStep } from "../rollout/ladder.ts";
import { CLUSTER_NAME } from "../sim_node.ts";
import type { World } from "../world.ts";
import { kekBytes } from "./host_keys.ts";
import type { KeySwarm } from "./key_swarm.ts";

/** Whoever accepts all that can be accepted. */
export const TERMS: ChangeTerms = {
  dryRun: false,
  planHash: "",
  confirm: CLUSTER_NAME,
  accept: ["unrewritten", "short-dwell"],
};

const DWELL_MS_MAX = 4_000;
const RATES = [0, 2_000, 40_000] as const;

/** Draws changes of encryption that operators ask for, good ones and bad ones. */
export class KeyRequests {
  readonly #world: World;
  readonly #swarm: KeySwarm;
  readonly #dice: Dice;
  #kekIds: readonly string[] = [];
  /** Of the last plan that was shown. */
  lastHash = "";

  constructor(world: World, swarm: KeySwarm) {
    this.#world = world;
    this.#swarm = swarm;
    this.#dice = world.dice.split("key requests");
  }

  async draw(): Promise<EncryptionRequest> {
    const dice = this.#dice;
    const { rollout } = this.#swarm;
    if (rollout !== null) {
      if (dice.chance(rollout.nextChance)) {
        return nextStep(this.#world.truth.fsm);
      }
      if (dice.chance(0.6)) return this.#drawStep();
    }
    const kind = dice.pick(
      [
        ...["bootstrap", "bootstrap", "bootstrap", "rotate-dek", "rotate-dek"],
        ...["rotate-dek", "rewrap-deks", "rewrap-deks", "register-writer"],
      ] as const,
    );
    switch (kind) {
      case "rotate-dek":
        return { kind, purpose: dice.pick(["storage", "raft"] as const) };
      case "rewrap-deks":
        return { kind, keks: await this.#drawKeks() };
      default:
        return { kind: kind as "bootstrap" | "register-writer" };
    }
  }

  drawTerms(): ChangeTerms {
    const dice = this.#dice;
    return {
      dryRun: dice.chance(0.15),
      planHash: dice.chance(0.8)
        ? ""
        : dice.chance(0.6)
        ? this.lastHash
        : "0123456789abcdef",
      confirm: dice.chance(0.9) ? CLUSTER_NAME : dice.pick(["", "other"]),
      accept: TERMS.accept.filter(() => dice.chance(0.5)),
    };
  }

  #drawStep(): EncryptionRequest {
    const dice = this.#dice;
    const bytesPerSecond = dice.pick(RATES);
    const { name } = dice.pick(this.#world.hosts);
    const steps: readonly EncryptionRequest[] = [
      { kind: "enable-storage-envelope" },
      { kind: "enable-raft-envelope" },
      { kind: "enable-raft-envelope" },
      { kind: "seal-cleartext" },
      { kind: "start-rewrite", bytesPerSecond },
      { kind: "start-rewrite", bytesPerSecond },
      { kind: "pause-rewrite" },
      { kind: "resume-rewrite", bytesPerSecond: null },
      { kind: "resume-rewrite", bytesPerSecond },
      { kind: "retire-dek", keyId: this.#drawKey() },
      { kind: "retire-dek", keyId: this.#drawKey() },
      { kind: "scrub", members: [] },
      { kind: "scrub", members: [name] },
      { kind: "update-rollout", dwellUntilMs: this.#drawDwell() },
    ];
    return dice.pick(steps);
  }

  #drawKey(): number {
    const ids = [...this.#world.truth.fsm.encryption.keys.keys()];
    return this.#dice.pick([...ids, 1]);
  }

  #drawDwell(): number {
    if (this.#dice.chance(0.4)) return 0;
    return this.#world.time.wallMs() + this.#dice.between(1, DWELL_MS_MAX);
  }

  async #drawKeks(): Promise<readonly string[]> {
    if (this.#kekIds.length === 0) {
      const { kekCount } = this.#swarm;
      const numbers = Array.from({ length: kekCount }, (_, i) => i + 1);
      this.#kekIds = await Promise.all(
        numbers.map(async (one) => `file:${await kekIdOf(kekBytes(one))}`),
      );
    }
    const dice = this.#dice;
    if (dice.chance(0.1)) return ["file:of-nobody"];
    if (dice.chance(0.2)) return [];
    return dice.chance(0.3) ? this.#kekIds : [dice.pick(this.#kekIds)];
  }
}
