import type { Redis } from 'ioredis';
import { SLICES } from './sliding-window.js';

/** What a node asks for, and what it has left of what it had. */
export interface LeaseWish {
  readonly key: string;
  readonly calls: number;
  readonly windowMs: number;
  readonly wanted: number;
  /** Tokens that were not used, and the slice they were taken from. */
  readonly unused: { readonly tokens: number; readonly slice: number };
}

/** Tokens to be used within a slice of the window from when they were asked for, or how long there will be none. */
export interface Lease {
  readonly tokens: number;
  readonly slice: number;
  readonly freeInMs: number;
}

/** Where all nodes take their tokens from. Rejects where that cannot be reached. */
export type TakeLease = (wish: LeaseWish) => Promise<Lease>;

/*
 * A token counts from the slice in which it was leased until a whole window after the last moment at which it may be used, which is a slice later: so
 * no window sees more uses than there are tokens. Times are those of Redis.
 */
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local calls, wanted, sliceMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local unused, slice = tonumber(ARGV[4]), ARGV[5]
if unused > 0 and tonumber(redis.call('HGET', KEYS[1], slice) or '0') >= unused then
  redis.call('HINCRBY', KEYS[1], slice, -unused)
end
local current = math.floor(now / sliceMs)
local kept = ${String(SLICES + 2)}
local used, oldest = 0, nil
local all = redis.call('HGETALL', KEYS[1])
for at = 1, #all, 2 do
  local number, count = tonumber(all[at]), tonumber(all[at + 1])
  if number <= current - kept then
    redis.call('HDEL', KEYS[1], all[at])
  else
    used = used + count
    if count > 0 and (oldest == nil or number < oldest) then oldest = number end
  end
end
local tokens = math.min(wanted, calls - used)
if tokens <= 0 then
  return {0, current, math.ceil(((oldest or current) + kept) * sliceMs - now)}
end
redis.call('HINCRBY', KEYS[1], string.format('%d', current), tokens)
redis.call('PEXPIRE', KEYS[1], math.ceil(sliceMs * (kept + 1)))
return {tokens, current, 0}
`;

/** Leases from a count that all nodes share in Redis. */
export function redisLeases(redis: Redis): TakeLease {
  return async ({ key, calls, windowMs, wanted, unused }) => {
    const name = `portcullis:rate:${key}:${String(windowMs)}`;
    const answer = await redis.eval(SCRIPT, 1, name, calls, wanted, windowMs / SLICES, unused.tokens, unused.slice);
    const [tokens = 0, slice = 0, freeInMs = 0] = (answer as unknown[]).map(Number);
    return { tokens, slice, freeInMs };
  };
}
