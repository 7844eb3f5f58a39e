import { createHmac, createSecretKey } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { digestHmac } from './digest-hmac.js';

test('is HMAC-SHA256, under any key and for any digest', () => {
  const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
  fc.assert(
    fc.property(fc.array(bytes(1, 200), { minLength: 1, maxLength: 4 }), fc.array(bytes(32, 32), { maxLength: 4 }), (raw, digests) => {
      const keys = raw.map((key) => createSecretKey(key));
      for (const digest of digests)
        for (const key of keys)
          expect(digestHmac(key, Buffer.from(digest).toString('latin1'))).toBe(createHmac('sha256', key).update(digest).digest('hex'));
    }),
  );
});
