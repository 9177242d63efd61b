/*
 * Goal: a key service that is down, denies access or hangs holds up changes of
 * encryption, by name, and no client before there is one; nothing halts, and
 * when it is back all goes on.
 * Method: members whose only KEK is in a Vault of the test, which fails as told.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import { startVault } from "../contract/vault_transit_server.ts";
import { callAdmin } from "./admin_call.ts";
import { ClusterLoad } from "./cluster_load.ts";
import { HAS_CLUSTERS, withCluster } from "./cluster_process.ts";
import { EncryptedCluster } from "./encrypted_cluster.ts";
import { CALM, Trial, VERY_PATIENT } from "./encryption_trial.ts";
import { ENCRYPTION_ON } from "./kek_files.ts";
import { until } from "./until.ts";

const EXIT_BLOCKED = 3;
const EXIT_CONFIG = 78;
const WAITS_MS_MAX = 30_000;
const VAULT_TOKEN = "hvs.token-of-the-tests";
const KEY = "sealkv";
const ROTATE = ["rotate-dek", "--purpose", "raft"];

type Vault = Awaited<ReturnType<typeof startVault>>;

const sealed = () =>
  Response.json({ errors: ["Vault is sealed"] }, { status: 503 });

/** The service fails, and may hang then, and works: so does the command. */
async function outages(
  trial: Trial,
  vault: Vault,
  { words, hangs }: {
    readonly words: readonly string[];
    readonly hangs: boolean;
  },
): Promise<void> {
  const closed = { code: "NODE_ENCRYPTION_GATE_CLOSED", exit: EXIT_BLOCKED };
  vault.interfere(sealed);
  await trial.refuses(words, {
    ...closed,
    says: ["no KEK of this node works", `vault-transit:${KEY}`, vault.url],
  });
  if (hangs) {
    const held = Promise.withResolvers<void>();
    vault.interfere(async () => {
      await held.promise;
      return sealed();
    });
    await trial.refuses(words, {
      ...closed,
      says: ["it must answer within 5000 ms"],
    });
    held.resolve();
  }
  vault.interfere(() => null);
  const { changed } = await trial.encrypted.change(...words);
  ok(changed);
  await trial.encrypted.agreedByStatus();
}

/** The service dies once a new key is drawn and nobody has it yet. */
async function diesBeforeTheKeyIsOpened(
  trial: Trial,
  vault: Vault,
): Promise<void> {
  const { encrypted, cluster } = trial;
  const { names } = cluster;
  const before = await encrypted.agreed();
  /** A probe of the leader, a challenge for each member, the key. */
  const wrapsMax = 1 + names.length + 1;
  let wraps = 0;
  vault.interfere((_, { url }) => {
    if (wraps >= wrapsMax) return sealed();
    if (url.endsWith(`/encrypt/${KEY}`)) wraps += 1;
    return null;
  });
  const admin = cluster.admin(await cluster.leader());
  const purpose = "KEY_PURPOSE_STORAGE";
  const asked = callAdmin(admin, "EncryptionAdmin/RotateDek", { purpose });
  await until(
    "all members wait",
    WAITS_MS_MAX,
    () =>
      names.every((name) =>
        cluster.node(name).output.includes('"event":"encryption_kek_waiting"')
      ),
  );
  vault.interfere(() => null);
  const { reason, message } = await asked;
  equal(reason, "", message);
  await cluster.agreed();
  const after = await encrypted.agreedByStatus();
  equal(after.keys.length, before.keys.length + 1);
  for (const name of names) {
    ok(cluster.node(name).output.includes('"event":"encryption_kek_back"'));
  }
  await trial.load.progress(1);
}

Deno.test({
  name: "a key service that fails is named, waited for, and halts nobody",
  ignore: !HAS_CLUSTERS,
  async fn() {
    await using files = new AsyncDisposableStack();
    const vault = await startVault({ token: VAULT_TOKEN, keys: [KEY] });
    files.defer(() => vault.close());
    const args = [
      ...[...VERY_PATIENT, ENCRYPTION_ON],
      ...["--kek", `vault-transit:${KEY}?addr=${vault.url}`],
    ];
    const env = { VAULT_TOKEN };
    await withCluster({ args, env }, async (cluster) => {
      await using load = await ClusterLoad.start(cluster, CALM);
      const encrypted = new EncryptedCluster(cluster);
      const trial = new Trial(encrypted, load);
      await encrypted.lead("n1");
      equal(await cluster.stop("n3"), 0);
      await cluster.start("n3", { env: { VAULT_TOKEN: "hvs.of-nobody" } });
      await cluster.agreed();
      await trial.refuses(["bootstrap"], {
        code: "NODE_CAPABILITY_UNPROVEN",
        exit: EXIT_BLOCKED,
        says: ["n3 (kek-unproven"],
      });
      await trial.restart("n3", []);
      await outages(trial, vault, { words: ["bootstrap"], hangs: true });
      await outages(trial, vault, { words: ROTATE, hangs: false });
      await diesBeforeTheKeyIsOpened(trial, vault);

      equal(await cluster.stop("n2"), 0);
      vault.interfere(sealed);
      await encrypted.refusesToStart("n2", [], {
        code: "KEYS_KEK_UNAVAILABLE",
        exit: EXIT_CONFIG,
        says: [`vault-transit:${KEY}`],
      });
      await load.progress(1);
      vault.interfere(() => null);
      await cluster.start("n2");
      await cluster.agreed();
      const { unreachable } = await encrypted.change(...ROTATE);
      deepEqual(unreachable, []);
      await encrypted.agreedByStatus();
      await load.allGoOn();
      await load.verify();
      encrypted.assertNoHalt();
      await encrypted.assertShowsNone([new TextEncoder().encode(VAULT_TOKEN)]);
    });
  },
});
