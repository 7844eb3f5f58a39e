import fc from 'fast-check';
import { expect } from 'vitest';
import { expectNoLeak, startAttackStage } from './attack-stage.js';
import { eventually } from './eventually.js';
import { hostileBytes } from './hostile-bytes.js';
import { RawConnection } from './raw-connection.js';
import { bodyOf, statusOf } from './raw-exchange.js';

const STATUSES = [200, 202, 400, 401, 403, 404, 405, 406, 408, 413, 415, 417, 429, 431];
const CODES = [-32_700, -32_600, -32_601, -32_602, -32_603, -32_001, -32_002, -32_020, -32_021, -32_022];

/** Sends `runs` hostile inputs to a node: each answer is of the vocabulary, and the node is as well afterwards as before. */
export async function expectVocabulary(runs: number): Promise<void> {
  const stage = await startAttackStage({ headersMs: 150, requestMs: 250, checkEveryMs: 25 });
  const [alice] = stage.policy.agents;
  try {
    await fc.assert(
      fc.asyncProperty(hostileBytes(alice.token), async (bytes) => {
        const connection = await RawConnection.open(stage.port);
        connection.socket.end(bytes);
        judge(bytes, await connection.until('closed'));
      }),
      { numRuns: runs },
    );
    // It gives whoever calls little time, and whoever hung up may be noticed later.
    await eventually(async () => expect(statusOf(await stage.send({}))).toBe(200));
    await eventually(() => expect(stage.metrics.inFlight).toBe(0));
  } finally {
    await stage.stop();
  }
}

function judge(bytes: Buffer, received: string): void {
  if (received === '') return; // closed without a word, as for half a request whose sender is gone
  const status = statusOf(received);
  if (status === 100) return;
  expect(STATUSES).toContain(status);
  expectNoLeak(bytes.toString('latin1'), received);
  const body = bodyOf(received);
  if (!body.startsWith('{')) return;
  const [first = ''] = body.split('HTTP/1.1 ');
  const { error } = JSON.parse(Buffer.from(first, 'latin1').toString()) as { error?: { code: number } };
  if (error !== undefined) expect(CODES).toContain(error.code);
}
