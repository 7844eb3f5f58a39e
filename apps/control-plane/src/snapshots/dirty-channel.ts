import type { Redis } from 'ioredis';

const CHANNEL = 'portcullis:dirty';

/** Tells publishers in other processes that a revision was committed. A hint: they look every second anyway. */
export async function announceDirty(redis: Redis, revision: number): Promise<void> {
  await redis.publish(CHANNEL, String(revision));
}

/** Listens for such hints on a connection of its own. Returns how to stop. */
export function onDirty(redis: Redis, listener: (revision: number) => void): () => void {
  const subscriber = redis.duplicate({ enableOfflineQueue: true, commandTimeout: undefined, maxRetriesPerRequest: null });
  subscriber.on('error', () => undefined); // the connection for commands tells of the same outage
  subscriber.on('message', (_channel, revision) => listener(Number(revision)));
  subscriber.subscribe(CHANNEL).catch(() => undefined); // resubscribes by itself once Redis is back
  return () => subscriber.disconnect();
}
