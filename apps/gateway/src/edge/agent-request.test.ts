import { createServer, IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { rawExchange } from '../testing/raw-exchange.js';
import { rawRequest } from '../testing/raw-request.js';
import { AgentRequest } from './agent-request.js';

const expectations = [
  [],
  ['Expect: 100-continue'],
  ['EXPECT: 100-Continue'],
  ['Expect: miracles'],
  ['Expect: '],
  ['Expect: 100-continue', 'Expect: miracles'],
  ['X-Expect: miracles', 'Expec: miracles'],
];

test.each(expectations.map((extra) => [extra]))('an expectation %j is met as Node itself meets it', async (extra) => {
  const [ours, nodes] = await Promise.all([AgentRequest, IncomingMessage].map((kind) => answerOf(kind, extra)));
  expect(ours).toBe(nodes);
});

async function answerOf(kind: typeof IncomingMessage, extra: readonly string[]): Promise<string> {
  const server = createServer({ IncomingMessage: kind, requireHostHeader: false }, (_request, response) => response.end('answered'));
  server.on('clientError', (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const answer = await rawExchange((server.address() as AddressInfo).port, rawRequest({ headers: { Connection: 'close' }, extra }));
  server.close();
  return answer.replace(/Date: .*/, '');
}
