import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectSecurely } from 'node:tls';
import { ListenerTls } from '@portcullis/boot';
import { makeAuthority, visit, visitAbruptly, whateverWasUncaught, type Visited } from '@portcullis/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startServer, type GatewayServer } from '../server.js';
import { abruptVisits, requestsOfManyKinds, type NamedVisit } from '../testing/abrupt-visits.js';
import { obey, startAttackStage, type AttackStage } from '../testing/attack-stage.js';
import { eventually } from '../testing/eventually.js';
import { statusOf } from '../testing/raw-exchange.js';
import type { Scripted } from '../testing/scripted-server.js';

const RUNS = 150;
const AT_ONCE_MAX = 6;
const handshake = '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}';
const known = makeAuthority('Known');
let stage: AttackStage;
let secure: GatewayServer;
let directory: string;
let requests: Readonly<Record<string, Buffer>>;
let hello: Buffer;

beforeAll(async () => {
  stage = await startAttackStage();
  stage.upstream.answer = answerInItsWay;
  directory = await mkdtemp(join(tmpdir(), 'portcullis-hanging-up-'));
  const files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') };
  const { cert, key } = known.issue('127.0.0.1');
  await Promise.all([writeFile(files.certFile, cert), writeFile(files.keyFile, key)]);
  secure = await startServer(stage.gateway, { host: '127.0.0.1', port: 0, tls: await ListenerTls.open(files) });
  const session = /mcp-session-id: ([^\r]+)/i.exec(await stage.send({ body: handshake }))?.[1] ?? '';
  requests = requestsOfManyKinds(stage.policy.agents[0].token, session);
  hello = await helloOf();
});
afterAll(async () => {
  await secure.close(0);
  await stage.stop();
  await rm(directory, { recursive: true });
});

/** At once, at length, in parts or never, by the tool that is called. */
function answerInItsWay(exchange: Scripted): void {
  const { message, response, json } = exchange;
  const result = (text: string) => ({ jsonrpc: '2.0', id: message.id, result: { content: [text], resultType: 'complete' } });
  switch (message.params?.['name']) {
    case 'never':
      return;
    case 'long':
      return json(result('x'.repeat(1_000_000)));
    case 'parts': {
      const { progressToken } = (message.params?.['_meta'] ?? {}) as { progressToken?: unknown };
      const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: 1, message: 'x'.repeat(10_000) } };
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const part of [...Array.from({ length: 20 }, () => progress), result('done')]) response.write(`data: ${JSON.stringify(part)}\n\n`);
      response.end();
      return;
    }
    default:
      obey(exchange);
  }
}

/** The first bytes of somebody who asks for TLS. */
async function helloOf(): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connectSecurely({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' }).on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return bytes;
}

async function visitSecurely(): Promise<Visited> {
  const { socket: below } = await visit(secure.port);
  const socket = connectSecurely({ socket: below, ca: known.cert, host: '127.0.0.1' });
  await once(socket, 'secureConnect');
  return { socket, below };
}

const isServed = async (): Promise<void> => {
  expect(statusOf(await stage.send({}))).toBe(200);
};

/** Has a few visit at once, time and again; fails with the visits after which something was left to nobody. */
async function expectUnharmed(visits: fc.Arbitrary<NamedVisit>, open: () => Promise<Visited>): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(visits, { minLength: 1, maxLength: AT_ONCE_MAX }), async (several) => {
      const uncaught = await whateverWasUncaught(async () => {
        await Promise.all(several.map(async (one) => visitAbruptly(one, await open(), isServed)));
        await isServed();
      });
      expect(uncaught).toEqual([]);
    }),
    { numRuns: RUNS },
  );
  await eventually(() => expect(stage.metrics.inFlight).toBe(0));
}

test('whatever is asked, and however whoever asks hangs up, the node lives on', async () => {
  const visits = abruptVisits({ ...requests, 'TLS to who speaks none': hello });
  await expect(expectUnharmed(visits, () => visit(stage.port))).resolves.toBeUndefined();
});

test('so it does where whoever hangs up had shaken hands by TLS', async () => {
  await expect(expectUnharmed(abruptVisits(requests), visitSecurely)).resolves.toBeUndefined();
});

test('so it does where they hang up in the middle of that, or never meant to', async () => {
  const visits = abruptVisits({ ...requests, 'TLS hello': hello, 'TLS hello and more': Buffer.concat([hello, Buffer.alloc(600, 23)]) });
  await expect(expectUnharmed(visits, () => visit(secure.port))).resolves.toBeUndefined();
});
