import assert from "node:assert/strict";
import {
  collect,
  committed,
  type ExamCase,
  mutation,
  refused,
  rejects,
  valueAt,
} from "./exam.ts";

const skip = { npm: "it has no commitVersionstamp()" };

/** Keys that end in the versionstamp of their own commit. */
export const suffixCases: readonly ExamCase[] = [
  {
    name: "suffix: keys end in their commit's versionstamp, in commit order",
    skip,
    async run({ kv }) {
      const stamps: string[] = [];
      for (let i = 0; i < 3; i += 1) {
        stamps.push(committed(await kv.set(["a", kv.commitVersionstamp()], i)));
      }
      stamps.push(committed(
        await kv.atomic().set(["a", kv.commitVersionstamp()], 3).commit(),
      ));
      assert.deepEqual(
        await collect(kv.list({ prefix: ["a"] })),
        stamps.map((versionstamp, value) => ({
          key: ["a", versionstamp],
          value,
          versionstamp,
        })),
      );
      assert.deepEqual(stamps, stamps.toSorted());
    },
  },
  {
    name: "suffix: beside other changes, and with the longest of keys",
    skip,
    async run({ kv }) {
      const long = new Uint8Array(2_046).fill(1);
      const versionstamp = committed(
        await kv.atomic()
          .set(["log", "x", kv.commitVersionstamp()], "entry")
          .set(["log", "y", kv.commitVersionstamp()], "other")
          .set([long, kv.commitVersionstamp()], "long")
          .set(["last"], "plain")
          .commit(),
      );
      assert.equal(await valueAt(kv, ["log", "x", versionstamp]), "entry");
      assert.equal(await valueAt(kv, ["log", "y", versionstamp]), "other");
      assert.equal(await valueAt(kv, ["last"]), "plain");
      const listed = await collect(kv.list({ prefix: [] }));
      assert.deepEqual(listed[0], {
        key: [long, versionstamp],
        value: "long",
        versionstamp,
      });
      assert.equal(listed.length, 4);
    },
  },
  {
    name: "suffix: of two with one prefix in a commit the last one holds",
    skip,
    async run({ kv }) {
      const versionstamp = committed(
        await kv.atomic()
          .set(["a", kv.commitVersionstamp()], 1)
          .set(["a", kv.commitVersionstamp()], 2)
          .commit(),
      );
      assert.deepEqual(await collect(kv.list({ prefix: [] })), [
        { key: ["a", versionstamp], value: 2, versionstamp },
      ]);
    },
  },
  {
    name: "suffix: a failed check writes none",
    skip,
    async run({ kv }) {
      const check = { key: ["a"], versionstamp: "0".repeat(19) + "1" };
      refused(
        await kv.atomic().check(check)
          .set(["a", kv.commitVersionstamp()], 1).commit(),
      );
      assert.deepEqual(await collect(kv.list({ prefix: [] })), []);
    },
  },
  {
    name: "suffix: only as the last part, and only of a set",
    skip,
    async run(context) {
      const { kv } = context;
      const key = ["a", kv.commitVersionstamp()];
      await rejects(
        context,
        "expected string, number, bigint, ArrayBufferView, boolean",
        () => kv.set([...key, "a"], "x"),
      );
      await rejects(
        context,
        /./,
        () => kv.atomic().mutate(mutation({ type: "delete", key })).commit(),
      );
      assert.deepEqual(await collect(kv.list({ prefix: [] })), []);
    },
  },
];
