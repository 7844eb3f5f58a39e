import { z } from 'zod';

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * A setting with the address of a Redis. One on another machine has to ask for a password, unless it is reached by TLS, which can ask for a certificate:
 * whoever writes to it could silence policy and the trail.
 */
export const redisAddress = () =>
  z
    .url({ protocol: /^rediss?$/ })
    .refine(isGuarded, { error: 'must have a password, or be rediss://, where Redis is on another machine', abort: true });

function isGuarded(text: string): boolean {
  const { protocol, hostname, password } = new URL(text);
  return protocol === 'rediss:' || password !== '' || LOOPBACK.test(hostname);
}
