import assert from "node:assert/strict";
import { foundingDigest, foundingMembers } from "../../../src/node/founding.ts";

const N1 = { name: "n1", address: "a:1" };
const N2 = { name: "n2", address: "b:1" };
const N10 = { name: "n10", address: "c:1" };

Deno.test("foundingMembers() gives ids by the order of names, however told", () => {
  const orders = [[N1, N2, N10], [N10, N2, N1], [N2, N10, N1]];
  for (const order of orders) {
    const given = [...order];
    const ids = foundingMembers(order).map(({ id, name, peerAddress }) =>
      `${id} ${name} ${peerAddress}`
    );
    assert.deepEqual(ids, ["1 n1 a:1", "2 n10 c:1", "3 n2 b:1"]);
    assert.deepEqual(order, given, "and leaves what it got as it is");
  }
});

Deno.test("foundingMembers() knows nothing but names and peer addresses", () => {
  assert.deepEqual(foundingMembers([N1]), [{
    id: 1,
    name: "n1",
    peerAddress: "a:1",
    clientAddress: "",
    adminAddress: "",
    diskId: null,
    protocolVersion: 0,
    promoteWhenCaughtUp: false,
  }]);
  assert.deepEqual(foundingMembers([]), []);
});

Deno.test("foundingDigest() is the same for the same cluster only", () => {
  const digest = (...cluster: (typeof N1)[]) =>
    foundingDigest(foundingMembers(cluster)).toString();
  const own = digest(N1, N2, N10);
  assert.equal(digest(N10, N1, N2), own);
  const others = [
    digest(),
    digest(N1),
    digest(N1, N2),
    digest({ ...N1, address: "a:2" }, N2, N10),
    digest({ ...N1, name: "n0" }, N2, N10),
    digest({ ...N1, address: "b:1" }, { ...N2, address: "a:1" }, N10),
  ];
  assert.equal(new Set([own, ...others]).size, others.length + 1);
  assert.equal(foundingDigest(foundingMembers([N1])).length, 32);
});
