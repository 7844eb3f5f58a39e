import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, portIsFree } from './free-port.js';

test('a free port can be listened on, and is taken while somebody does', async () => {
  const port = await freePort();
  expect(await portIsFree(port)).toBe(true);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  expect(await portIsFree(port)).toBe(false);
  await new Promise((resolve) => server.close(resolve));
  expect(await portIsFree(port)).toBe(true);
});
