import assert from "node:assert/strict";
import { type NodeConfig, parseConfig } from "../../../src/app/config.ts";
import { dataHome } from "../../../src/app/data_home.ts";
import {
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
    initialCluster: null,
    join: null,
    heartbeatMs: 50,
    electionMsMin: 500,
    readLease: false,
    checkpointBytesPerSecond: null,
    trustTail: false,
    rotateOnStart: false,
    logCompactAfterBytes: null,
    logKeepEntries: null,
    encryptionEnabled: false,
    keks: [],
    tls: null,
    tlsCaPath: null,
    peerMtls: false,
    accessTokenFile: null,
    adminTokenFile: null,
    peerTokenFile: null,
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
  [
    { "initial-cluster": "n2=h:2,n1=127.0.0.1:4513" },
    "initialCluster",
    [
      { name: "n1", address: { hostname: "127.0.0.1", port: 4513 } },
      { name: "n2", address: { hostname: "h", port: 2 } },
    ],
  ],
  [
    { "initial-cluster": "n1=127.0.0.1:4513" },
    "peerAdvertise",
    { hostname: "127.0.0.1", port: 4513 },
  ],
  [
    {
      "initial-cluster": "n1=a:4513,n2=b:4513",
      "peer-listen": "0.0.0.0:4513",
      "insecure": "1",
    },
    "peerAdvertise",
    { hostname: "a", port: 4513 },
  ],
  [
    { "initial-cluster": "n1=a:1,n2=b:1", "peer-advertise": "a:1" },
    "peerListen",
    { hostname: "127.0.0.1", port: 4513 },
  ],
  [
    { "join": "a:1,[::1]:2" },
    "join",
    [{ hostname: "a", port: 1 }, { hostname: "::1", port: 2 }],
  ],
  [
    { "join": "a:1", "initial-cluster": "n1=127.0.0.1:4513" },
    "join",
    [{ hostname: "a", port: 1 }],
  ],
  [{ "read-lease": "1" }, "readLease", true],
  [{ "checkpoint-rate": "64KiB" }, "checkpointBytesPerSecond", 65_536],
  [{ "checkpoint-rate": "50MiB" }, "checkpointBytesPerSecond", 52_428_800],
  [{ "checkpoint-rate": "1024GiB" }, "checkpointBytesPerSecond", 2 ** 40],
  [
    { "peer-mtls": "1", "tls-cert": "c", "tls-key": "k", "tls-ca": "a" },
    "peerMtls",
    true,
  ],
  [{ "peer-token-file": "t" }, "peerTokenFile", "t"],
  [{ "encryption-enabled": "true" }, "encryptionEnabled", true],
  [{ "kek": "file:/a" }, "keks", ["file:/a"]],
  [{ "kek": "exec:a b,c\nfile:/b" }, "keks", ["exec:a b,c", "file:/b"]],
  [{ "kek-file": "/a" }, "keks", ["file:/a"]],
  [{ "kek-file": "/a", "kek": "file:/b" }, "keks", ["file:/a", "file:/b"]],
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
  "initial-cluster": [
    "n1",
    "n2=h:1",
    "n1=h:1,n1=h:2",
    "n1=h:1,n2=h:1",
    "n1=h:0",
    "n1=127.0.0.1:4514",
    "n1=localhost:4513",
    "n1=127.0.0.1:4513,",
  ],
  "join": ["", "h", "h:0", "h:1,,h:2", "http://h:1", "h:1,".repeat(33) + "h:1"],
  "cluster-name": ["", "a b", "-a"],
  "heartbeat-ms": ["9", "10001", "50.5"],
  "election-ms": ["249", "60001", "1e3"],
  "read-lease": ["yes", "", "TRUE"],
  "trust-tail": ["yes", "", "TRUE"],
  "checkpoint-rate": ["", "65535B", "1025GiB", "50MB", "1.5GiB", "-1KiB"],
  "log-compact-after": ["", "1", "63KiB", "x", "2TiB"],
  "log-keep-entries": ["", "0", "-1", "1.5", "100000001"],
  "encryption-enabled": ["yes", "", "TRUE"],
  "encryption-rotate-on-startup": ["yes", "", "TRUE"],
  "kek": ["", "a\n", "a\na", "a\0", "12345678".split("").join("\n") + "\n9"],
  "kek-file": ["", "a\0", "a".repeat(4_097)],
  "tls-cert": ["", "c", "a\0"],
  "tls-key": ["", "k", "a\0"],
  "tls-ca": ["", "a\0", "a".repeat(4_097)],
  "peer-mtls": ["yes", "", "true"],
  "insecure": ["yes", "", "TRUE"],
  "access-token-file": ["", "a\0", "a".repeat(4_097)],
  "admin-token-file": ["", "a\0", "a".repeat(4_097)],
  "peer-token-file": ["", "a\0", "a".repeat(4_097)],
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

Deno.test("parseConfig() shows nothing of what a KEK setting has", () => {
  assert.throws(() => parse({ kek: "0123abc\n0123abc" }), (error) => {
    assert.ok(error instanceof ConfigInvalidError);
    assert.doesNotMatch(Deno.inspect(error), /0123abc/);
    assert.match(error.message, /2 values/);
    return true;
  });
});

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

const CONFLICTS: [texts: Texts, setting: SettingName, said: RegExp][] = [
  [
    { "join": "h:1", "initial-cluster": "n1=127.0.0.1:4513,n2=h:2" },
    "join",
    /"initial-cluster" names several/,
  ],
  [
    { "peer-advertise": "a:1", "initial-cluster": "n1=a:2,n2=b:1" },
    "initial-cluster",
    /its --peer-advertise address, a:1/,
  ],
  [
    { "peer-listen": "127.0.0.1:0", "initial-cluster": "n1=127.0.0.1:4513" },
    "initial-cluster",
    /its --peer-listen address, 127\.0\.0\.1:0/,
  ],
  [{ "kek-file": "/a", "kek": "file:/a" }, "kek-file", /none given twice/],
  [
    { "kek-file": "/a", "kek": "1\n2\n3\n4\n5\n6\n7\n8" },
    "kek-file",
    /at most 8/,
  ],
  [
    { "peer-mtls": "1", "tls-cert": "c", "tls-key": "k" },
    "peer-mtls",
    /"tls-ca" is missing/,
  ],
];
for (const [texts, setting, said] of CONFLICTS) {
  Deno.test(`parseConfig() refuses ${JSON.stringify(texts)}`, () => {
    assert.throws(() => parse(texts), (error) => {
      assert.ok(error instanceof ConfigInvalidError);
      assert.equal(error.setting, setting);
      assert.match(error.message, said);
      return true;
    });
  });
}

Deno.test("parseConfig() takes 32 founding members and no more", () => {
  const list = (count: number) =>
    Array.from({ length: count }, (_, i) => `n${i + 1}=127.0.0.1:${4513 + i}`)
      .join();
  const config = parse({ "initial-cluster": list(32) });
  assert.equal(config.initialCluster?.length, 32);
  assert.throws(
    () => parse({ "initial-cluster": list(33) }),
    /at most 32 members/,
  );
});

Deno.test("variableOf() names the environment twin", () => {
  assert.equal(variableOf("peer-listen"), "SEALKV_PEER_LISTEN");
});
