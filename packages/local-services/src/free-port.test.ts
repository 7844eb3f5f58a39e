import { readFileSync } from 'node:fs';
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

test.runIf(process.platform === 'linux')('a free port is none that a connection which goes out may be given before it is listened on', async () => {
  const [first = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/).map(Number);
  if (first <= 30_000) return; // a system with no room below them
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort()));
  expect(ports.filter((port) => port >= first)).toEqual([]);
});
