import { ProgressFinder } from '@portcullis/mcp';
import { expect, test } from 'vitest';
import { EventBatch } from './event-batch.js';

const finder = new ProgressFinder('our-1');

function progress(message: string): NonNullable<ReturnType<ProgressFinder['find']>> {
  const line = finder.find(Buffer.from(`{"method":"notifications/progress","params":{"progressToken":"our-1","message":"${message}"}}`));
  if (line === undefined) throw new Error('not found');
  return line;
}

test.each(['"a token that is longer than ours"', '"yours"', '"mine1"', '7'])('progress goes on under the token %s, among other messages', (token) => {
  const batch = new EventBatch();
  const expected: string[] = [];
  const expectEvent = (json: string): unknown => expected.push(`event: message\ndata: ${json}\n\n`);
  for (const message of ['a', 'é😀', 'x'.repeat(5_000), 'y'.repeat(90_000)]) {
    batch.addText(`{"text":"${message}"}`);
    expectEvent(`{"text":"${message}"}`);
    batch.addProgress(progress(message), Buffer.from(token));
    expectEvent(`{"method":"notifications/progress","params":{"progressToken":${token},"message":"${message}"}}`);
  }
  expect(batch.take()[0].toString()).toBe(expected.join(''));
  expect(batch.isEmpty).toBe(true);
});

test('memory of a batch is used again only when the batch is written', () => {
  const long = progress('z'.repeat(30_000));
  const fill = (): [Buffer, (error?: Error | null) => void] => {
    const batch = new EventBatch();
    batch.addProgress(long, Buffer.from('1'));
    return batch.take();
  };
  const [one, oneWritten] = fill();
  const [two, twoWritten] = fill();
  expect(two.buffer).not.toBe(one.buffer);
  oneWritten();
  expect(fill()[0].buffer).toBe(one.buffer);
  twoWritten(new Error('The connection is gone'));
  expect(fill()[0].buffer).not.toBe(two.buffer);
});

test('a batch that waits takes little more memory than it is long', () => {
  for (const length of [10, 500, 3_000, 20_000]) {
    const batch = new EventBatch();
    batch.addProgress(progress('z'.repeat(length)), Buffer.from('1'));
    const [bytes] = batch.take();
    expect(bytes.length).toBeGreaterThan(length);
    // A pool of small ones is shared.
    expect(bytes.buffer.byteLength).toBeLessThan(Math.max(4 * bytes.length, Buffer.poolSize + 1));
  }
});
