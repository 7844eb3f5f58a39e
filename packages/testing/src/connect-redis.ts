import { Redis } from 'ioredis';

/** A connection for a test to look into a Redis; end it with `disconnect()`. */
export const connectRedis = (url: string): Redis => new Redis(url, { maxRetriesPerRequest: 3 });
