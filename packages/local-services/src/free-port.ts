import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const listen = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });

const FIRST = 30_000;
/** Where Linux begins by default; other systems begin later. */
const USUAL_LAST = 32_767;
const TRIES_MAX = 100;

/** The first port that this system gives to whoever asks for any, above all to connections that go out. */
function firstGivenOut(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  } catch {
    return USUAL_LAST + 1;
  }
}

/**
 * A port of 127.0.0.1 that nothing listened on a moment ago, below those that the system gives out by itself where there is room: until it is listened
 * on, no connection that goes out takes it by chance. Somebody who wants this very one may still take it first.
 */
export async function freePort(): Promise<number> {
  const end = firstGivenOut();
  for (let tries = 0; end > FIRST && tries < TRIES_MAX; tries += 1) {
    const port = randomInt(FIRST, end);
    if (await portIsFree(port)) return port;
  }
  return listen(0);
}

/** Whether this user could listen on that port of 127.0.0.1 right now. */
export const portIsFree = (port: number): Promise<boolean> =>
  listen(port).then(
    () => true,
    () => false,
  );
