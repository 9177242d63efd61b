import assert from "node:assert/strict";
import type { Disk } from "../../src/io/disk.ts";
import {
  SidecarMalformedError,
  SidecarWriteFailedError,
} from "../../src/keys/errors.ts";
import { formatSidecar, SIDECAR_BYTES_MAX } from "../../src/keys/sidecar.ts";
import {
  probeFilesystem,
  readSidecar,
  sidecarPath,
  writeSidecar,
} from "../../src/keys/sidecar_file.ts";
import { sampleContent, sampleShared } from "../unit/keys/sample_keys.ts";
import type { DiskUnderTest } from "./disk_contract.ts";

const MAC = new Uint8Array(32).fill(9);

/** A whole sidecar of state `index`. */
export function sidecarAt(index: number): string {
  const shared = sampleShared({ stateIndex: index });
  return formatSidecar(sampleContent({ shared }), MAC);
}

async function put(disk: Disk, path: string, bytes: Uint8Array) {
  const file = await disk.open(path, "create");
  await file.writeAt(0, bytes);
  await file.close();
}

function malformed(rule: RegExp) {
  return (error: unknown) =>
    error instanceof SidecarMalformedError && rule.test(error.message);
}

/** What the sidecar's file does on every disk; `dir` is not there yet. */
const RULES: Record<string, (disk: Disk, dir: string) => Promise<void>> = {
  "readSidecar() finds none where there is none": async (disk, dir) => {
    assert.equal(await readSidecar(disk, dir), null);
    await disk.makeDir(dir);
    assert.equal(await readSidecar(disk, dir), null);
    // A draft was never a sidecar.
    await put(disk, `${sidecarPath(dir)}.tmp`, new Uint8Array(1));
    assert.equal(await readSidecar(disk, dir), null);
  },
  "writeSidecar() replaces, and leaves one file": async (disk, dir) => {
    for (const index of [3, 4, 4, 2]) {
      await writeSidecar(disk, dir, sidecarAt(index));
      const found = await readSidecar(disk, dir);
      assert.equal(found?.shared.stateIndex, index);
    }
    const names = (await disk.list(dir)).map(({ name }) => name);
    assert.deepEqual(names, ["keys.json"]);
  },
  "writeSidecar() writes a shorter one over a longer one": async (
    disk,
    dir,
  ) => {
    await writeSidecar(disk, dir, sidecarAt(1) + " ".repeat(10_000));
    await writeSidecar(disk, dir, sidecarAt(2));
    assert.equal((await readSidecar(disk, dir))?.shared.stateIndex, 2);
  },
  "writeSidecar() removes a draft that a crash left": async (disk, dir) => {
    await disk.makeDir(dir);
    await put(disk, `${sidecarPath(dir)}.tmp`, new Uint8Array(99_999));
    await writeSidecar(disk, dir, sidecarAt(1));
    assert.equal((await readSidecar(disk, dir))?.shared.stateIndex, 1);
  },
  "writeSidecar() fails with the cause and keeps what was": async (
    disk,
    dir,
  ) => {
    await writeSidecar(disk, dir, sidecarAt(1));
    const draft = `${sidecarPath(dir)}.tmp`;
    await disk.makeDir(`${draft}/x`);
    await assert.rejects(writeSidecar(disk, dir, sidecarAt(2)), (error) => {
      assert.ok(error instanceof SidecarWriteFailedError);
      assert.ok(error.cause instanceof Error);
      assert.equal(error.path, sidecarPath(dir));
      return true;
    });
    assert.equal((await readSidecar(disk, dir))?.shared.stateIndex, 1);
  },
  "readSidecar() looks at the length first": async (disk, dir) => {
    await disk.makeDir(dir);
    const text = new TextEncoder().encode(sidecarAt(1));
    const bytes = new Uint8Array(SIDECAR_BYTES_MAX + 1).fill(0x20);
    bytes.set(text);
    const longest = bytes.subarray(0, SIDECAR_BYTES_MAX);
    await put(disk, sidecarPath(dir), longest);
    assert.equal((await readSidecar(disk, dir))?.shared.stateIndex, 1);
    await disk.remove(sidecarPath(dir));
    await put(disk, sidecarPath(dir), bytes);
    const refused = malformed(/at most 4194304 bytes: 4194305 are there/);
    await assert.rejects(readSidecar(disk, dir), refused);
  },
  "readSidecar() refuses what is no text": async (disk, dir) => {
    await disk.makeDir(dir);
    const text = sidecarAt(1);
    const bad = [
      Uint8Array.of(),
      Uint8Array.of(0xff, 0xfe),
      new TextEncoder().encode(`\ufeff${text}`),
      new TextEncoder().encode(text.replace('"n1"', '"n\u00001"')),
      new Uint8Array([...new TextEncoder().encode(text), 0]),
    ];
    for (const bytes of bad) {
      await put(disk, sidecarPath(dir), bytes);
      await assert.rejects(readSidecar(disk, dir), malformed(/./));
      await disk.remove(sidecarPath(dir));
    }
  },
  "probeFilesystem() passes and leaves nothing": async (disk, dir) => {
    await probeFilesystem(disk, dir);
    await writeSidecar(disk, dir, sidecarAt(1));
    await put(disk, `${dir}/probe.tmp`, new Uint8Array(3));
    await put(disk, `${dir}/probe`, new Uint8Array(3));
    await probeFilesystem(disk, dir);
    const names = (await disk.list(dir)).map(({ name }) => name);
    assert.deepEqual(names, ["keys.json"]);
  },
};

/** Registers one test per rule for the disks that `make` makes. */
export function runSidecarContract(
  name: string,
  make: () => Promise<DiskUnderTest>,
): void {
  for (const [rule, check] of Object.entries(RULES)) {
    Deno.test(`${name}: ${rule}`, async () => {
      const { disk, root, dispose } = await make();
      try {
        await check(disk, `${root}/encryption`);
      } finally {
        await dispose();
      }
    });
  }
}
