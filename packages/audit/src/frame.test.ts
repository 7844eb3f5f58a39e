import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFrames, encodeFrame, joinFrames } from './frame.js';

test('joined frames are the frames in their order, wherever they lie', () => {
  const texts = fc.array(fc.string({ maxLength: 60_000 }), { maxLength: 8 });
  fc.assert(
    fc.property(texts, fc.boolean(), (payloads, apart) => {
      const frames = payloads.map((payload, i) => {
        if (apart) encodeFrame(1_000_000, 'somebody else’s');
        return encodeFrame(i + 1, payload.toWellFormed());
      });
      expect(joinFrames(frames).equals(Buffer.concat(frames))).toBe(true);
    }),
  );
});

test('sequence numbers beyond 32 bits come back exactly', () => {
  for (const seq of [2 ** 32 - 1, 2 ** 32, 2 ** 40 + 3]) expect(decodeFrames(encodeFrame(seq, '{}')).frames[0]?.seq).toBe(seq);
});
