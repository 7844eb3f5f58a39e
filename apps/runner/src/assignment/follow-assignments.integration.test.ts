import { hash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@portcullis/boot';
import { LaunchProfile, launchProfileText } from '@portcullis/contracts/runner/launch-profile';
import { EnrolRunner, RunnerHeartbeat, runnerEnvironmentAad } from '@portcullis/contracts/runner/heartbeat';
import { sealFor } from '@portcullis/secrets';
import { makeAuthority } from '@portcullis/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { loadConfig } from '../config.js';
import { startRunner } from '../runner.js';
import { RunnerClient, stdioServer } from '../testing/runner-client.js';
import { ACCESS_TOKEN } from '../testing/test-runner.js';

const SOON = { timeout: 20_000, interval: 20 };
const runnerId = randomUUID();
const serverId = randomUUID();
const profile = LaunchProfile.parse(stdioServer('normal', { environment: { TOKEN: { secret: 'TOKEN' } } }));
const profileHash = hash('sha256', launchProfileText(profile), 'hex');
let controlPlane: Server;
let controlPlaneUrl = '';
let heartbeats: RunnerHeartbeat[];
let sealingPublicKey = '';
let environmentVersion = '1';
let dataDir = '';
let stop: (() => Promise<void>) | undefined;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'portcullis-runner-'));
  heartbeats = [];
  environmentVersion = '1';
  controlPlane = createServer((request, response) => {
    void (async () => {
      let text = '';
      for await (const chunk of request) text += String(chunk);
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(answer(request.url ?? '', request.headers.authorization ?? '', JSON.parse(text))));
    })();
  });
  controlPlane.listen(0, '127.0.0.1');
  await once(controlPlane, 'listening');
  controlPlaneUrl = `http://127.0.0.1:${(controlPlane.address() as AddressInfo).port}`;
});

afterEach(async () => {
  await stop?.();
  controlPlane.close();
  controlPlane.closeAllConnections();
  rmSync(dataDir, { recursive: true });
});

function answer(path: string, authorization: string, body: unknown): object {
  if (path === '/v1/runner/enrol') {
    expect(authorization).toBe('Bearer join');
    ({ sealingPublicKey } = EnrolRunner.parse(body));
    return { runnerId, runnerKey: 'the key of this runner' };
  }
  expect(authorization).toBe('Bearer the key of this runner');
  heartbeats.push(RunnerHeartbeat.parse(body));
  const sealedEnvironment = sealFor(
    sealingPublicKey,
    JSON.stringify({ TOKEN: `secret-${environmentVersion}` }),
    runnerEnvironmentAad(runnerId, serverId, profileHash),
  );
  const assignment = { serverId, slug: 'files', profileHash, profile, generation: 0, environmentVersion, sealedEnvironment };
  return { assignments: [assignment], accessTokenHashes: [hash('sha256', ACCESS_TOKEN, 'hex')], revision: 1, heartbeatSeconds: 1 };
}

/** Starts a runner in this process; gives a client of its server. */
async function start(more: Record<string, string> = {}): Promise<RunnerClient> {
  const closers: (() => unknown)[] = [];
  const env = {
    HOST: '127.0.0.1',
    PORT: '0',
    HEALTH_PORT: '0',
    RUNNER_NAME: 'runner-1',
    DATA_DIR: dataDir,
    JOIN_TOKEN: 'join',
    CONTROL_PLANE_URL: controlPlaneUrl,
    SERVER_UID_FIRST: '63000',
    STOP_GRACE_MS: '0',
    ...more,
  };
  const logger = createLogger({ name: 'runner', level: 'silent' });
  const running = await startRunner({ ...loadConfig(env), installerEnvironment: {} }, logger, (_, closer) => void closers.push(() => closer({})));
  stop = async () => {
    stop = undefined;
    for (const close of closers.toReversed()) await close();
  };
  await vi.waitFor(async () => expect((await fetch(`http://127.0.0.1:${running.healthPort}/readyz`)).status).toBe(200), SOON);
  const metrics = await (await fetch(`http://127.0.0.1:${running.healthPort}/metrics`)).text();
  expect(metrics).toContain('portcullis_runner_children{app="runner"} 0');
  return new RunnerClient(`http://127.0.0.1:${running.port}/servers/files/mcp`);
}

test('a runner enrols, hosts what it is told, says how that is, and keeps secrets only sealed', async () => {
  const client = await start();
  await client.open();
  expect(await client.value('environ')).toContain('TOKEN=secret-1');
  await vi.waitFor(
    () => expect(heartbeats.at(-1)?.servers).toEqual([expect.objectContaining({ serverId, profileHash, state: 'running', instances: 1 })]),
    SOON,
  );
  expect(Object.keys(heartbeats.at(-1)?.sandbox ?? {})).toHaveLength(6);
  const kept = readdirSync(dataDir)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readFileSync(join(dataDir, name), 'utf8'));
  expect(kept.join('')).not.toContain('secret-1');
  await stop?.();
  expect(heartbeats.at(-1)?.leaving).toBe(true);
});

test('other secrets start its children anew', async () => {
  const client = await start();
  await client.open();
  environmentVersion = '2';
  await vi.waitFor(async () => {
    await client.open();
    expect(await client.value('environ')).toContain('TOKEN=secret-2');
  }, SOON);
});

test('without the control plane a runner goes on with what it was told last, over a restart too', async () => {
  await start();
  await stop?.();
  controlPlane.close();
  controlPlane.closeAllConnections();
  const client = await start();
  expect((await client.open()).result).toBeDefined();
  expect(await client.value('environ')).toContain('TOKEN=secret-1');
});

test('with a certificate nodes are told to come by TLS, and are let in by it alone', async () => {
  const authority = makeAuthority('Runners');
  const { cert, key } = authority.issue('127.0.0.1');
  const files = { TLS_CERT_FILE: join(dataDir, 'cert.pem'), TLS_KEY_FILE: join(dataDir, 'key.pem') };
  writeFileSync(files.TLS_CERT_FILE, cert);
  writeFileSync(files.TLS_KEY_FILE, key);
  const plain = await start(files);
  const address = await vi.waitFor(() => heartbeats.at(-1)?.address ?? Promise.reject(new Error('not heard')), SOON);
  expect(address).toMatch(/^https:/);
  const [response] = (await once(get(`${address}/servers/files/mcp`, { ca: authority.cert }), 'response')) as [IncomingMessage];
  response.resume();
  expect(response.statusCode).toBe(401);
  await expect(once(get(`${address}/servers/files/mcp`), 'response')).rejects.toThrow(/certificate|issuer/);
  await expect(plain.open()).rejects.toThrow(/fetch failed/);
});
