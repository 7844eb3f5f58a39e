import type { Redis } from 'ioredis';
import type { IndexedSessionStore } from './session-store.js';

/** Sessions' shared memory in Redis; the connection's `commandTimeout` bounds every answer. */
export function redisSessionStore(redis: Redis): IndexedSessionStore {
  return {
    get: (key) => redis.get(key),
    setIfAbsent: async (key, value, ttlMs) => (await redis.set(key, value, 'PX', ttlMs, 'NX')) === 'OK',
    set: async (key, value, ttlMs) => {
      await redis.set(key, value, 'PX', ttlMs);
    },
    delete: async (key) => {
      await redis.del(key);
    },
    touch: async (key, ttlMs) => {
      await redis.pexpire(key, ttlMs);
    },
    addMember: async (key, member, ttlMs) => {
      await redis.multi().sadd(key, member).pexpire(key, ttlMs).exec();
    },
    members: (key) => redis.smembers(key),
    takeMembers: async (key) => {
      const members = await redis.smembers(key);
      await redis.del(key);
      return members;
    },
  };
}
