/*
 * Goal: members talk TLS to each other, verify whom they dial, and with
 * --peer-mtls who dials them; where the runtime cannot, the node says so.
 * Method: three real members whose one certificate names their addresses; data
 * and status go over TLS too.
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { loopbackAddress } from "../loopback.ts";
import { runSealkv } from "./cli_process.ts";
import { PEER_TOKEN } from "./cluster_process.ts";
import { NodeProcess, sealkvCommand } from "./node_process.ts";

const HOSTS = [loopbackAddress(), loopbackAddress(), loopbackAddress()];
const CLUSTER = HOSTS.map((host, i) => `n${i + 1}=${host}:4513`).join(",");

/** An authority and a certificate of it for all members; `null` without openssl. */
async function certificates(): Promise<string | null> {
  const dir = await Deno.makeTempDir({ prefix: "sealkv-tls-" });
  const names = HOSTS.map((host) => `IP:${host}`).join(",");
  const script = `
    cd '${dir}'
    new="openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    $new -x509 -days 1 -subj /CN=ca -keyout ca.key -out ca.pem
    $new -subj /CN=member -keyout key.pem -out csr.pem
    printf 'subjectAltName=${names}\n' > ext
    openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -days 1 \
      -CAcreateserial -extfile ext -out cert.pem`;
  const { success } = await new Deno.Command("bash", {
    args: ["-euc", script],
    stdout: "null",
    stderr: "null",
  }).output();
  return success ? dir : null;
}

/** Whether the program under test asks clients for certificates. */
async function hasMutualTls(): Promise<boolean> {
  const [program, ...args] = sealkvCommand();
  const { stdout } = await new Deno.Command(program, {
    args: [...args, "version", "--json"],
  }).output();
  const { deno } = JSON.parse(new TextDecoder().decode(stdout));
  const [major = 0, minor = 0] = String(deno).split(".").map(Number);
  return major > 2 || major === 2 && minor >= 9;
}

const dir = Deno.build.os === "linux" ? await certificates() : null;

function launch(index: number, more: readonly string[]): Promise<NodeProcess> {
  return NodeProcess.launch({
    hostname: HOSTS[index]!,
    args: [
      ...["--node", `n${index + 1}`, "--initial-cluster", CLUSTER],
      ...["--tls-cert", `${dir}/cert.pem`, "--tls-key", `${dir}/key.pem`],
      ...["--tls-ca", `${dir}/ca.pem`, ...more],
    ],
    env: { SEALKV_PEER_TOKEN: PEER_TOKEN },
  });
}

async function serve(more: readonly string[]): Promise<void> {
  const nodes = await Promise.all(HOSTS.map((_, i) => launch(i, more)));
  await using _ended = {
    async [Symbol.asyncDispose]() {
      for (const node of nodes) await node[Symbol.asyncDispose]();
    },
  };
  await Promise.all(nodes.map((node) => node.ready()));
  const env = { DENO_CERT: `${dir}/ca.pem` };
  const set = await runSealkv(
    ["kv", "set", "k", "v", "--url", `https://${HOSTS[0]}:4512`],
    env,
  );
  equal(set.code, 0, set.stderr);
  const got = await runSealkv(
    ["kv", "get", "k", "--url", `https://${HOSTS[2]}:4512`],
    env,
  );
  match(got.stdout, /v/);
  const status = await runSealkv([
    ...["status", "--json", "--admin", `https://${HOSTS[1]}:4514`],
    ...["--tls-ca", `${dir}/ca.pem`],
  ]);
  const { members } = JSON.parse(status.stdout);
  deepEqual(members.map(({ up }: { up: boolean }) => up), [true, true, true]);
}

Deno.test({
  name: "three members serve over TLS",
  ignore: dir === null,
  fn: () => serve([]),
});

Deno.test({
  name: "three members show each other certificates, or say that they cannot",
  ignore: dir === null,
  fn: async () => {
    if (await hasMutualTls()) return await serve(["--peer-mtls"]);
    await using node = await launch(0, ["--peer-mtls"]);
    equal(await node.exited(), 78);
    match(node.stderr, /TRANSPORT_MUTUAL_TLS_UNSUPPORTED/);
  },
});

Deno.test({
  name: "a member is not let in without a certificate of the authority",
  ignore: dir === null,
  fn: async () => {
    if (!await hasMutualTls()) return;
    await using first = await launch(0, ["--peer-mtls"]);
    // It listens when it dials; what the second meets is a refusal, no gap.
    ok(await first.says(/"peer_unreachable","peer":"n2"/), first.output);
    // It dials with TLS, but has nothing to show.
    await using second = await launch(1, []);
    ok(await first.says(/"event":"link_up","peer":"n2"/), first.output);
    ok(
      await second.says(
        /"peer_unreachable","peer":"n1".*"the handshake broke off"/,
      ),
      second.output,
    );
    ok(!/"link_up","peer":"n1"/.test(second.output), second.output);
  },
});
