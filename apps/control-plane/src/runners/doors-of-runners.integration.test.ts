import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RUNNER_ENROL_PATH } from '@portcullis/contracts/runner/heartbeat';
import { LaunchProfile } from '@portcullis/contracts/runner/launch-profile';
import { newNodeKeyPair } from '@portcullis/secrets';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchHash } from '../launch/require-launch.js';
import { FailedSignIns } from '../operators/failed-sign-ins.js';
import { aRunner } from '../testing/a-runner.js';
import { policyOf } from '../testing/revertible-world.js';
import { newOperatorToken, startTestApp, type TestApp } from '../testing/start-test-app.js';

let own: TestApp;
beforeAll(async () => {
  own = await startTestApp();
});
afterAll(() => own.close());

const profile = { program: { kind: 'executable', path: '/usr/bin/id' } };

test('a name whose runner has reported is nobody else’s, whatever join token they have, until an operator removed it', async () => {
  const { token } = (await own.call('POST', '/v1/runners/join-tokens', {})).body;
  const enrol = () => own.call('POST', RUNNER_ENROL_PATH, { name: 'taken', sealingPublicKey: newNodeKeyPair().publicKey }, token);
  expect((await enrol()).status).toBe(200);
  expect((await enrol()).status).toBe(200); // its answer was lost, and nothing was given to it yet
  const runner = await aRunner(own, 'taken');
  await runner.beat();
  const { status, body } = await enrol();
  expect([status, body.detail]).toEqual([409, expect.stringContaining(`DELETE /v1/runners/${runner.id}`)]);
  expect((await runner.send()).status).toBe(200);
  await own.call('DELETE', `/v1/runners/${runner.id}`);
  expect((await enrol()).status).toBe(200);
  expect((await runner.send()).status).toBe(401);
});

test('a runner is told which of the servers that left something with it are no more', async () => {
  const runner = await aRunner(own, 'tidy');
  const [kept, gone, turned] = ['left-kept', 'left-gone', 'left-turned'];
  const ids: string[] = [];
  for (const slug of [kept, gone, turned]) ids.push((await own.call('POST', '/v1/servers', { slug, transport: 'stdio', profile })).body.id);
  await own.call('DELETE', `/v1/servers/${gone}`);
  await own.call('PATCH', `/v1/servers/${turned}`, { transport: 'auto', url: 'https://mcp.example.com/mcp' });
  expect((await runner.beat()).removed).toEqual([]);
  expect((await runner.beat({ left: ids })).removed).toEqual(ids.slice(1));
});

test('A103: what only looks starts nothing: dry runs, previews and discoveries of a program that nobody approved, by whomever', async () => {
  const runner = await aRunner(own, 'looking');
  expect((await own.call('POST', '/v1/servers', { slug: 'looked-at', transport: 'stdio', profile })).status).toBe(201);
  const { id: address } = (await own.call('POST', '/v1/servers', { slug: 'looked-from', url: 'https://mcp.example.com/mcp' })).body;
  const change = { do: 'server.update', server: 'looked-from', change: { transport: 'stdio' } };
  const probes: [path: string, body: object, isReading?: true][] = [
    ['/v1/servers?dryRun=true', { slug: 'probed', transport: 'stdio', profile }],
    ['/v1/servers/looked-at/profiles?dryRun=true', { profile }],
    ['/v1/servers/looked-at/discovery', {}],
    ['/v1/servers/looked-at/restart', { reason: 'look' }],
    ['/v1/servers/looked-at/profiles/1/approve?dryRun=true', { hash: launchHash(LaunchProfile.parse(profile)) }],
    ['/v1/imports?source=mcp.json&dryRun=true', { mcpServers: { probed: { command: '/usr/bin/id' } } }],
    ['/v1/policy/preview', { changes: [change] }, true],
  ];
  const before = await policyOf(own);
  for (const token of [await newOperatorToken(own.app, 'approver'), await newOperatorToken(own.app, 'viewer'), own.auditor, own.admin])
    for (const [path, body, isReading] of probes) {
      const { status, text } = await own.call('POST', path, body, token);
      if (token === own.admin || isReading) expect([path, status < 500], text).toEqual([path, true]);
      else expect([path, status]).toEqual([path, 403]);
    }
  expect(await policyOf(own)).toEqual(before);
  expect((await runner.beat()).assignments.map(({ slug }) => slug)).not.toContain('looked-at');
  expect((await own.call('GET', '/v1/servers/looked-at')).body).toMatchObject({ hosting: { profile: null, runner: null } });
  expect((await own.call('GET', `/v1/servers/${address}`)).body).toMatchObject({ url: 'https://mcp.example.com/mcp', hosting: null });
  expect((await own.call('GET', '/v1/servers/probed')).status).toBe(404);
});

test('A104: no host, no form of a path and no header opens the doors behind which programs are made', async () => {
  const viewer = await newOperatorToken(own.app, 'viewer');
  const runnerJoin = (await own.call('POST', '/v1/runners/join-tokens', {})).body.token;
  await own.app.listen(0, '127.0.0.1');
  const { port } = own.app.getHttpServer().address() as AddressInfo;
  const before = await policyOf(own);
  const forms = ['%s', '/%s', '%s/', '/%2f%s', '/.%s', '/v1/openapi.json/..%s', '/v1/runner/..%2f..%s', '%s;x', '%s%00', '%s?x=/docs', '%s%23'];
  const places = ['/v1/servers', '/v1/Servers', '/%76%31/servers', '/v1/runners/join-tokens', '/v1/runner/heartbeat'];
  const tricks: Record<string, string>[] = [
    { host: 'evil.example' },
    { host: '127.0.0.1@evil.example' },
    { 'x-forwarded-host': 'localhost', 'x-forwarded-for': '127.0.0.1', forwarded: 'for=127.0.0.1;host=localhost' },
    { 'x-original-url': '/v1/openapi.json', 'x-rewrite-url': '/v1/openapi.json', 'x-http-method-override': 'GET' },
  ];
  const attempts = places.flatMap((place) => [
    ...forms.map((form) => ({ path: form.replace('%s', place), trick: {} })),
    ...tricks.map((trick) => ({ path: place, trick })),
  ]);
  const body = JSON.stringify({ slug: 'sneaked', transport: 'stdio', profile });
  const opened: unknown[] = [];
  for (const token of [undefined, viewer, runnerJoin])
    for (const { path, trick } of attempts) {
      const headers = { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }), ...trick };
      const [response] = (await once(request({ port, path, method: 'POST', headers, agent: false }).end(body), 'response')) as [IncomingMessage];
      response.resume();
      own.app.get(FailedSignIns).forget(); // who is slowed is refused for that
      if (![400, 401, 403, 404, 405].includes(response.statusCode ?? 0)) opened.push([path, trick, response.statusCode]);
    }
  expect(opened).toEqual([]);
  expect(await policyOf(own)).toEqual(before);
  expect((await own.call('GET', '/v1/servers/sneaked')).status).toBe(404);
});
