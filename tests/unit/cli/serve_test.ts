import assert from "node:assert/strict";
import type { NodeConfig } from "../../../src/app/config.ts";
import { DataHomeUnknownError } from "../../../src/app/errors.ts";
import type { RunningNode } from "../../../src/app/running_node.ts";
import { run } from "../../../src/cli/run.ts";
import type { StopSignal } from "../../../src/io/process.ts";
import { fakeServices, recordingOutput, runIn } from "./fake_services.ts";

interface Started {
  readonly configs: NodeConfig[];
  stops: number;
  readonly failure: PromiseWithResolvers<unknown>;
  readonly startNode: (config: NodeConfig) => Promise<RunningNode>;
}

function fakeNode(): Started {
  const configs: NodeConfig[] = [];
  const failure = Promise.withResolvers<unknown>();
  const started: Started = {
    configs,
    stops: 0,
    failure,
    startNode(config) {
      configs.push(config);
      return Promise.resolve({
        addresses: {
          listen: { ...config.listen, port: 1 },
          peer: { hostname: "::1", port: 2 },
          admin: { ...config.adminListen, port: 3 },
        },
        ready: Promise.resolve(),
        failure: failure.promise,
        stop() {
          started.stops += 1;
          return Promise.resolve();
        },
      });
    },
  };
  return started;
}

/** Runs serve and hands out the signal once it is ready. */
function serveUntil(
  node: Started,
  onReady: (raise: (signal: StopSignal) => void) => void,
  ...args: string[]
) {
  const handlers = new Set<(signal: StopSignal) => void>();
  const raise = (signal: StopSignal) => {
    for (const handler of handlers) handler(signal);
  };
  const out = recordingOutput(false, (text) => {
    if (text.startsWith("ready ")) onReady(raise);
  });
  const err = recordingOutput(false);
  const services = fakeServices({ startNode: node.startNode }, out, err);
  return run(["serve", ...args], {
    ...services,
    process: {
      ...services.process,
      onStopSignal(handler) {
        handlers.add(handler);
        return { cancel: () => void handlers.delete(handler) };
      },
    },
  }).then((code) => ({
    code,
    out: out.text(),
    err: err.text(),
    isQuiet: handlers.size === 0,
  }));
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`serve prints what it bound and stops in order on ${signal}`, async () => {
    const node = fakeNode();
    const outcome = await serveUntil(
      node,
      (raise) => raise(signal),
      ...["--node", "n7", "--listen", "127.0.0.1:0"],
    );
    assert.deepEqual(outcome, {
      code: 0,
      out: 'ready {"listen":"127.0.0.1:1","peer":"[::1]:2",' +
        '"admin":"127.0.0.1:3"}\n',
      err: "",
      isQuiet: true,
    });
    assert.equal(node.stops, 1);
    assert.equal(node.configs[0]?.node, "n7");
  });
}

Deno.test("serve ends at once on a second signal", async () => {
  const node = fakeNode();
  const stuck = {
    ...node,
    startNode: async (config: NodeConfig) => ({
      ...await node.startNode(config),
      stop: () => new Promise<void>(() => {}),
    }),
  };
  const { code } = await serveUntil(stuck, (raise) => {
    raise("SIGTERM");
    raise("SIGINT");
  });
  assert.equal(code, 130);
});

Deno.test("serve ends with the error of a node that stopped by itself", async () => {
  const node = fakeNode();
  const outcome = await serveUntil(
    node,
    () => node.failure.resolve(new DataHomeUnknownError()),
  );
  assert.equal(outcome.code, 78);
  assert.match(outcome.err, /^error\[APP_DATA_HOME_UNKNOWN\]/);
  assert.equal(node.stops, 0);
});

Deno.test("serve prints nothing when the node does not start", async () => {
  const startNode = () => Promise.reject(new DataHomeUnknownError());
  const { code, out, err } = await runIn({ startNode }, "serve", "--json");
  assert.deepEqual([code, out], [78, ""]);
  assert.equal(JSON.parse(err).error.code, "APP_DATA_HOME_UNKNOWN");
});

Deno.test("serve hands every setting on, from flag, variable and file", async () => {
  const node = fakeNode();
  const env = { SEALKV_HEARTBEAT_MS: "70", SEALKV_NODE: "variable" };
  const files = { "/c.json": '{"node":"file","election-ms":700}' };
  const { startNode, failure, configs } = node;
  failure.resolve(new DataHomeUnknownError());
  await runIn(
    { env, files, startNode },
    ...["serve", "--config", "/c.json", "--data-dir", "/d", "--insecure"],
    ...["--peer-listen", "0.0.0.0:1", "--json"],
  );
  const [config] = configs;
  assert.equal(config?.node, "variable");
  assert.equal(config?.heartbeatMs, 70);
  assert.equal(config?.electionMsMin, 700);
  assert.equal(config?.dataDir, "/d");
  assert.equal(config?.peerListen.hostname, "0.0.0.0");
  assert.equal(config?.logFormat, "json");
});

Deno.test("serve hands the settings of a cluster on", async () => {
  const node = fakeNode();
  const { startNode, failure, configs } = node;
  failure.resolve(new DataHomeUnknownError());
  const list = "n1=127.0.0.1:4513,n2=127.0.0.1:4523,n3=127.0.0.1:4533";
  await runIn(
    { startNode, env: { SEALKV_READ_LEASE: "1", HOME: "/h" } },
    ...["serve", "--initial-cluster", list, "--checkpoint-rate", "50MiB"],
  );
  await runIn(
    { startNode },
    ...["serve", "--node", "n4", "--join", "127.0.0.1:4514,127.0.0.1:4524"],
  );
  const [founder, joiner] = configs;
  assert.deepEqual(founder?.initialCluster?.map(({ name }) => name), [
    "n1",
    "n2",
    "n3",
  ]);
  assert.equal(founder?.checkpointBytesPerSecond, 50 * 2 ** 20);
  assert.equal(founder?.readLease, true);
  assert.equal(joiner?.join?.length, 2);
  assert.equal(joiner?.initialCluster, null);
});

Deno.test("serve hands several KEKs on, in their order", async () => {
  const node = fakeNode();
  const { startNode, failure, configs } = node;
  failure.resolve(new DataHomeUnknownError());
  const keks = ["--kek", "exec:pass show a,b", "--kek", "file:/b"];
  await runIn(
    { startNode },
    ...["serve", "--encryption-enabled", "--kek-file", "/a", ...keks],
  );
  await runIn(
    {
      startNode,
      env: {
        HOME: "/h",
        SEALKV_KEK: "file:/a,file:/b",
        SEALKV_ENCRYPTION_ENABLED: "1",
      },
    },
    "serve",
  );
  const expected = ["file:/a", "exec:pass show a,b", "file:/b"];
  assert.deepEqual(configs.map(({ keks }) => keks), [
    expected,
    ["file:/a", "file:/b"],
  ]);
  assert.deepEqual(configs.map((c) => c.encryptionEnabled), [true, true]);
});

const BAD: [args: string[], code: number][] = [
  [["--node", "UPPER"], 78],
  [["--listen", "0.0.0.0:1"], 78],
  [["--config", "/none"], 78],
  [["--initial-cluster", "n1=h:1,n2=h:2"], 78],
  [["--join", "h:1", "--initial-cluster", "n1=127.0.0.1:4513,n2=h:2"], 78],
  [["--checkpoint-rate", "fast"], 78],
  [["--peer-mtls"], 78],
  [["--heartbeat-ms"], 2],
  [["--access-token", "secret"], 2],
  [["now"], 2],
];
for (const [args, code] of BAD) {
  Deno.test(`serve ${args.join(" ")} ends with ${code}`, async () => {
    const { startNode, configs } = fakeNode();
    const outcome = await runIn({ startNode }, "serve", ...args);
    assert.equal(outcome.code, code, outcome.err);
    assert.equal(configs.length, 0);
  });
}
