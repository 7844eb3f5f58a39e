import { gzipSync } from 'node:zlib';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IssuerKeys, KeysUnavailableError } from './issuer-keys.js';

/** A hundred kibibytes that are a hundred mebibytes when they are unpacked. */
const BOMB = gzipSync(Buffer.alloc(100 * 1024 * 1024, ' '));

let server: Server;
let issuer: string;
beforeAll(async () => {
  server = createServer((_request, response) => response.setHeader('content-encoding', 'gzip').end(BOMB));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

test('keys that unpack into more than any issuer has are read no further than that', async () => {
  let unpacked = 0;
  const counted = async (url: string, init: RequestInit): Promise<Response> => {
    const response = await fetch(url, init);
    const counting = new TransformStream<Uint8Array, Uint8Array>({
      transform: (chunk, controller) => {
        unpacked += chunk.length;
        controller.enqueue(chunk);
      },
    });
    return new Response(response.body?.pipeThrough(counting) ?? null, { status: response.status });
  };
  const keys = new IssuerKeys({ fetch: counted, now: () => performance.now(), onTrouble: () => undefined });
  const asked = keys.keyFor({ issuer, jwksUri: `${issuer}/jwks` }, { alg: 'ES256' }, { payload: '', protected: '', signature: '' });
  await expect(asked).rejects.toThrow(KeysUnavailableError);
  expect(unpacked).toBeLessThan(4 * 1024 * 1024);
});
