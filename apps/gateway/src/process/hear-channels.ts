import type { Redis } from 'ioredis';

/** Hears what is said on channels of Redis, also after Redis was away; what was said meanwhile is lost. */
export function hearChannels(subscriber: Redis, channels: readonly string[], heard: (message: string, channel: string) => void): void {
  const subscribe = (): void => void subscriber.subscribe(...channels).catch(() => undefined);
  subscriber.on('ready', subscribe);
  if (subscriber.status === 'ready') subscribe();
  subscriber.on('message', (channel: string, message: string) => {
    if (channels.includes(channel)) heard(message, channel);
  });
}
