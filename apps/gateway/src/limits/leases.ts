import { countKeys, RATE_SLICES } from '@portcullis/contracts/limits';
import type { Redis } from 'ioredis';

/** Tokens to be used soon, or how long there will be none. */
export interface Lease {
  readonly tokens: number;
  readonly freeInMs: number;
}

/** How many tokens a node would like, and how many calls wait for one. */
export interface Wanted {
  readonly wanted: number;
  readonly waiting: number;
}

/** What a node asks for of a rate, and what it has left of what it had. */
export interface RateWish extends Wanted {
  readonly key: string;
  readonly calls: number;
  readonly windowMs: number;
  /** Tokens that were not used, and the slice they were taken from. */
  readonly unused: { readonly tokens: number; readonly slice: number };
}

export type RateLease = Lease & { readonly slice: number };

/** What a node asks for of a quota's period. */
export interface QuotaWish extends Wanted {
  readonly key: string;
  readonly calls: number;
  readonly period: string;
  /** Epoch milliseconds. */
  readonly endsAt: number;
  /** The most that this node saw used: from there the count goes on, should Redis have lost it. */
  readonly seen: number;
  /** Calls that it let through by itself meanwhile. */
  readonly owed: number;
}

interface QuotaLease {
  readonly tokens: number;
  /** By all nodes, these tokens included. */
  readonly used: number;
}

/** Where all nodes take their tokens from. Rejects where that cannot be reached. */
export interface Leases {
  readonly rate: (wish: RateWish) => Promise<RateLease>;
  readonly quota: (wish: QuotaWish) => Promise<QuotaLease>;
}

/*
 * A token counts from the slice in which it was leased until a whole window after the last moment at which it may be used, which is a slice later: so
 * no window sees more uses than there are tokens. Times are those of Redis; what lies more than a slice ahead was counted by a clock that was set back
 * since.
 */
const RATE_SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local calls, wanted, sliceMs = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local unused, slice = tonumber(ARGV[4]), ARGV[5]
if unused > 0 and tonumber(redis.call('HGET', KEYS[1], slice) or '0') >= unused then
  redis.call('HINCRBY', KEYS[1], slice, -unused)
end
local current = math.floor(now / sliceMs)
local kept = ${String(RATE_SLICES + 2)}
local used, oldest = 0, nil
local all = redis.call('HGETALL', KEYS[1])
for at = 1, #all, 2 do
  local number, count = tonumber(all[at]), tonumber(all[at + 1])
  if number <= current - kept or number > current + 1 then
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

/*
 * A sixteenth of what is left at most, or what calls wait for: the last calls of a period are leased one by one, so that no node sits on them. Nothing is
 * given back, so a count that is lower than what a node has seen was lost.
 */
const QUOTA_SCRIPT = `
local calls, wanted, waiting = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local used = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), tonumber(ARGV[4])) + tonumber(ARGV[5])
local left = calls - used
local tokens = 0
if left > 0 then tokens = math.min(left, math.max(waiting, math.min(wanted, math.floor(left / 16)))) end
used = used + tokens
redis.call('SET', KEYS[1], string.format('%d', used), 'PXAT', ARGV[6])
return {tokens, used}
`;

/** For how long a count is kept after its period, should the clock of a node be late. */
const KEPT_MS = 3_600_000;

/** Leases from counts that all nodes share in Redis. */
export function redisLeases(redis: Redis): Leases {
  return {
    rate: async ({ key, calls, windowMs, wanted, waiting, unused }) => {
      const name = countKeys.rate(key, windowMs);
      const most = Math.max(wanted, waiting);
      const answer = await redis.eval(RATE_SCRIPT, 1, name, calls, most, windowMs / RATE_SLICES, unused.tokens, unused.slice);
      const [tokens = 0, slice = 0, freeInMs = 0] = (answer as unknown[]).map(Number);
      return { tokens, slice, freeInMs };
    },
    quota: async ({ key, calls, period, endsAt, wanted, waiting, seen, owed }) => {
      const name = countKeys.quota(key, period);
      const answer = await redis.eval(QUOTA_SCRIPT, 1, name, calls, wanted, waiting, seen, owed, endsAt + KEPT_MS);
      const [tokens = 0, used = 0] = (answer as unknown[]).map(Number);
      return { tokens, used };
    },
  };
}
