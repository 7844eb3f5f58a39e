import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { within } from './within.js';

test('an answer that came while the process stood still is one in time', async () => {
  const { port1, port2 } = new MessageChannel();
  try {
    const answered = within(20, async () => once(port1, 'message'));
    port2.postMessage('here');
    for (const end = performance.now() + 60; performance.now() < end;);
    await expect(answered).resolves.toEqual(['here']);
  } finally {
    port1.close();
  }
});

test('without an answer the work is told to stop', async () => {
  let stopped: unknown;
  const silent = within(20, (signal) => {
    signal.addEventListener('abort', () => (stopped = signal.reason));
    return new Promise(() => undefined);
  });
  await expect(silent).rejects.toThrow('no answer within 20 ms');
  expect(stopped).toBeInstanceOf(Error);
});
