import assert from "node:assert/strict";
import { encodeEncryption } from "../../../../src/fsm/encryption_payload.ts";
import {
  type EncryptionChange,
  type EncryptionState,
  writerId,
} from "../../../../src/fsm/types.ts";
import type { KeyId } from "../../../../src/base/data_key.ts";
import { fullNodeId, node16Of } from "../../../../src/base/identity.ts";
import type { EncryptionOutcome } from "../../../../src/node/encryption/outcomes.ts";
import { Engine } from "../../../../src/node/engine.ts";
import {
  HEARTBEAT_MS,
  TestCluster,
  type TestOptions,
} from "../test_cluster.ts";
import { FakeCustody, NO_SIDECAR } from "./fake_custody.ts";

/** By name: the last one that started. */
const engines = new Map<string, Engine>();
const { start } = Engine.prototype;
Engine.prototype.start = function (this: Engine): void {
  engines.set(this.peers.identity().name, this);
  start.call(this);
};

/** The engine of the member of that name, as it started last. */
export function engineOf(name: string): Engine {
  const engine = engines.get(name);
  assert.ok(engine !== undefined, name);
  return engine;
}

/** Members of a test cluster with keys; their sidecars outlive their starts. */
export class EncryptedCluster {
  private constructor(
    readonly cluster: TestCluster,
    readonly custodies: Map<string, FakeCustody>,
    /** What taking keys over does at members that start from now on. */
    readonly failsFirst: Map<string, () => Promise<void>>,
  ) {}

  /** Takes the sidecar of `name` away. */
  forget(name: string): void {
    this.custodies.delete(name);
  }

  static async start(
    names: readonly string[],
    {
      onCustody = () => {},
      ...options
    }: Partial<TestOptions> & {
      /** Sees each custody before its node starts. */
      readonly onCustody?: (custody: FakeCustody) => void;
    } = {},
  ): Promise<EncryptedCluster> {
    const custodies = new Map<string, FakeCustody>();
    const failsFirst = new Map<string, () => Promise<void>>();
    const cluster = await TestCluster.start(names, {
      openCustody: (name) => {
        const { sidecar } = custodies.get(name) ?? { sidecar: NO_SIDECAR };
        const custody = FakeCustody.opened(name, sidecar);
        custody.beforeAbsorb = failsFirst.get(name) ?? (() => {});
        custodies.set(name, custody);
        onCustody(custody);
        return custody;
      },
      ...options,
    });
    return new EncryptedCluster(cluster, custodies, failsFirst);
  }

  custody(name: string): FakeCustody {
    const custody = this.custodies.get(name);
    assert.ok(custody !== undefined, name);
    return custody;
  }

  engine(name: string): Engine {
    return engineOf(name);
  }

  /** The applied state at `name`. */
  state(name: string): EncryptionState {
    return this.engine(name).encryption.state;
  }

  /** The last epochs that `at` knows of `node`, under these keys. */
  registered(at: string, node: string, keyIds: readonly KeyId[]): number[] {
    const node16 = node16Of(fullNodeId(node));
    const { writers } = this.state(at);
    return keyIds.map((id) =>
      writers.get(writerId(id, node16))?.lastEpoch ?? 0
    );
  }

  /** Proposes `change` at the leader among `names`. */
  async propose(
    change: EncryptionChange,
    names = this.cluster.names(),
  ): Promise<EncryptionOutcome> {
    const leader = await this.cluster.leader(names);
    const payload = encodeEncryption(change);
    const outcome = this.engine(leader).proposeEncryption(payload);
    assert.ok(outcome !== null);
    return await this.cluster.clock.until(outcome);
  }

  /** Passes time until `holds`, for 10 s at most. */
  async until(holds: () => boolean): Promise<void> {
    const { clock } = this.cluster;
    for (let turn = 0; turn < 10_000 / HEARTBEAT_MS; turn += 1) {
      if (holds()) return;
      await clock.run(HEARTBEAT_MS);
    }
    assert.ok(holds(), "it comes about in time");
  }
}
