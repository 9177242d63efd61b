import assert from "node:assert/strict";
import { decideEncryption } from "../../../../src/fsm/encryption.ts";
import {
  type EncryptionChange,
  type EncryptionState,
  NO_ENCRYPTION,
} from "../../../../src/fsm/types.ts";
import { MemberGate } from "../../../../src/node/encryption/member_gate.ts";
import type { CapabilityFinding } from "../../../../src/node/encryption_port.ts";
import { EMPTY_STATE } from "../../../../src/store/meta.ts";
import {
  BOOTSTRAP,
  CLUSTER,
  RAFT,
  registrationOf,
  STORAGE,
} from "./changes.ts";

function after(...changes: readonly EncryptionChange[]): EncryptionState {
  let encryption = NO_ENCRYPTION;
  changes.forEach((change, i) => {
    const fsm = { ...EMPTY_STATE.fsm, clusterId: CLUSTER, encryption };
    const decision = decideEncryption(fsm, i + 10, change);
    assert.ok(decision.kind === "taken", JSON.stringify(decision));
    encryption = decision.next;
  });
  return encryption;
}

function gateOf(encryption: EncryptionState, code = "") {
  const proposed: EncryptionChange[] = [];
  const asked: string[] = [];
  const gate = new MemberGate({
    state: () => ({
      applied: { index: 20, term: 3 },
      fsm: { ...EMPTY_STATE.fsm, clusterId: CLUSTER, encryption },
    }),
    leading: {
      proposeIn: (term, change) => {
        assert.equal(term, 3);
        proposed.push(change);
        return Promise.resolve(21);
      },
      fanOut: (_, targets = []) => {
        const findings = targets.map(({ name }): CapabilityFinding => {
          asked.push(name);
          return { member: name, code, message: "m", remedy: "r" };
        });
        return Promise.resolve(findings);
      },
    },
  });
  return { gate, proposed, asked };
}

Deno.test("the gate is on from the first keys", () => {
  assert.equal(gateOf(NO_ENCRYPTION).gate.isOn, false);
  assert.equal(gateOf(after(BOOTSTRAP)).gate.isOn, true);
});

Deno.test("admit() gives a candidate epoch 0 of each active key", async () => {
  const { gate, proposed } = gateOf(after(BOOTSTRAP));
  await gate.admit("n9", 3);
  const expected = registrationOf("n9", 0, [STORAGE, RAFT]);
  assert.deepEqual(proposed, [expected]);
  after(BOOTSTRAP, expected);
});

Deno.test("admit() leaves the rows of an earlier member alone", async () => {
  const known = after(BOOTSTRAP, registrationOf("n9", 5, [STORAGE]));
  const { gate, proposed } = gateOf(known);
  await gate.admit("n9", 3);
  assert.deepEqual(proposed, [registrationOf("n9", 0, [RAFT])]);
  const all = after(BOOTSTRAP, registrationOf("n9", 5));
  const other = gateOf(all);
  await other.gate.admit("n9", 3);
  assert.deepEqual(other.proposed, []);
});

Deno.test("unprovenOf() asks that member alone", async () => {
  const proven = gateOf(after(BOOTSTRAP));
  assert.equal(await proven.gate.unprovenOf({ id: 9, name: "n9" }), null);
  assert.deepEqual(proven.asked, ["n9"]);
  const { gate } = gateOf(after(BOOTSTRAP), "flag-missing");
  const finding = await gate.unprovenOf({ id: 9, name: "n9" });
  assert.equal(finding?.code, "flag-missing");
});
