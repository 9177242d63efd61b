import assert from "node:assert/strict";
import { type NodeConfig, parseConfig } from "../../../src/app/config.ts";
import { dataHome } from "../../../src/app/data_home.ts";
import {
  ClusterUnsupportedError,
  ConfigInvalidError,
  ListenerCleartextError,
} from "../../../src/app/errors.ts";
import type { GivenSettings } from "../../../src/app/given.ts";
import {
  SETTING_NAMES,
  type SettingName,
  variableOf,
} from "../../../src/app/settings.ts";

type Texts = Partial<Record<SettingName, string>>;

const home = () => dataHome((name) => name === "HOME" ? "/h" : undefined);

function parse(texts: Texts): NodeConfig {
  const given: GivenSettings = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [
      name,
      { text, source: `--${name}` },
    ]),
  );
  return parseConfig(given, home);
}

Deno.test("parseConfig() of nothing is a lone node on loopback", () => {
  const config = parse({});
  assert.deepEqual(config, {
    node: "n1",
    dataDir: "/h/.local/share/sealkv/nodes/n1",
    listen: { hostname: "127.0.0.1", port: 4512 },
    peerListen: { hostname: "127.0.0.1", port: 4513 },
    adminListen: { hostname: "127.0.0.1", port: 4514 },
    advertise: null,
    peerAdvertise: null,
    adminAdvertise: null,
    clusterName: null,
    heartbeatMs: 50,
    electionMsMin: 500,
    tls: null,
    tlsCaPath: null,
    accessTokenFile: null,
    adminTokenFile: null,
    logLevel: "info",
    logFormat: null,
  });
  assert.ok(Object.isFrozen(config));
});

Deno.test("parseConfig() asks for the data home only when it needs it", () => {
  const given = { "data-dir": { text: "/d", source: "--data-dir" } };
  const config = parseConfig(given, () => assert.fail("not needed"));
  assert.equal(config.dataDir, "/d");
});

const GOOD: [texts: Texts, field: keyof NodeConfig, expected: unknown][] = [
  [{ node: "n2" }, "node", "n2"],
  [{ listen: "[::1]:0" }, "listen", { hostname: "::1", port: 0 }],
  [
    { listen: "0.0.0.0:1", insecure: "true" },
    "listen",
    { hostname: "0.0.0.0", port: 1 },
  ],
  [
    { listen: "0.0.0.0:1", "tls-cert": "c", "tls-key": "k" },
    "tls",
    { certPath: "c", keyPath: "k" },
  ],
  [{ "heartbeat-ms": "10" }, "heartbeatMs", 10],
  [{ "heartbeat-ms": "10000" }, "electionMsMin", 50_000],
  [{ "election-ms": "250" }, "electionMsMin", 250],
  [{ "election-ms": "60000" }, "electionMsMin", 60_000],
  [{ "cluster-name": "prod-eu-1" }, "clusterName", "prod-eu-1"],
  [{ "initial-cluster": "n1=127.0.0.1:4513" }, "node", "n1"],
  [{ "log-level": "debug" }, "logLevel", "debug"],
  [{ "log-format": "pretty" }, "logFormat", "pretty"],
];
for (const [texts, field, expected] of GOOD) {
  Deno.test(`parseConfig() takes ${JSON.stringify(texts)}`, () => {
    assert.deepEqual(parse(texts)[field], expected);
  });
}

const BAD: Record<SettingName, readonly string[]> = {
  "node": ["", "N1", "a".repeat(64)],
  "data-dir": ["", "a\0b", "a".repeat(4_097)],
  "listen": ["4512", "host:65536", ":1"],
  "peer-listen": ["", "x", "a b:1"],
  "admin-listen": ["", "x", "::1:1"],
  "advertise": ["h:0", "", "x"],
  "peer-advertise": ["h:0", "", "x"],
  "admin-advertise": ["h:0", "", "x"],
  "initial-cluster": ["n1", "n2=h:1", "n1=h:1,n1=h:2"],
  "cluster-name": ["", "a b", "-a"],
  "heartbeat-ms": ["9", "10001", "50.5"],
  "election-ms": ["249", "60001", "1e3"],
  "tls-cert": ["", "c", "a\0"],
  "tls-key": ["", "k", "a\0"],
  "tls-ca": ["", "a\0", "a".repeat(4_097)],
  "insecure": ["yes", "", "TRUE"],
  "access-token-file": ["", "a\0", "a".repeat(4_097)],
  "admin-token-file": ["", "a\0", "a".repeat(4_097)],
  "log-level": ["", "INFO", "trace"],
  "log-format": ["", "text", "JSON"],
};
for (const name of SETTING_NAMES) {
  for (const text of BAD[name]) {
    const shown = JSON.stringify(text).slice(0, 20);
    Deno.test(`parseConfig() refuses ${name} ${shown} by name`, () => {
      assert.throws(() => parse({ [name]: text }), (error) => {
        assert.ok(error instanceof ConfigInvalidError);
        assert.equal(error.setting, name);
        assert.equal(error.source, `--${name}`);
        assert.match(error.message, /^Cannot use the setting .*: current/s);
        return true;
      });
    });
  }
}

for (const name of ["listen", "peer-listen", "admin-listen"] as const) {
  Deno.test(`parseConfig() refuses cleartext on ${name} beyond loopback`, () => {
    for (const host of ["0.0.0.0", "[::]", "10.0.0.1", "example.org"]) {
      assert.throws(
        () => parse({ [name]: `${host}:1` }),
        ListenerCleartextError,
      );
      const isOff = { [name]: `${host}:1`, insecure: "false" };
      assert.throws(() => parse(isOff), ListenerCleartextError);
    }
  });
}

Deno.test("parseConfig() refuses more than one member", () => {
  const list = "n1=h:1,n2=h:2,n3=h:3";
  assert.throws(
    () => parse({ "initial-cluster": list }),
    ClusterUnsupportedError,
  );
});

Deno.test("variableOf() names the environment twin", () => {
  assert.equal(variableOf("peer-listen"), "SEALKV_PEER_LISTEN");
});
