import { META_LOG_LEVEL, ownMember, type ClassifiedRequest } from '@portcullis/mcp';

/** Severities of log messages, least urgent first (RFC 5424, as MCP names them). */
const LOG_LEVELS = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

const RANKS: ReadonlyMap<unknown, number> = new Map(LOG_LEVELS.map((level, rank) => [level, rank]));

export const isLogLevel = (value: unknown): value is LogLevel => RANKS.has(value);

/** Whether a message of this level is wanted by one who asked for `least` or more urgent ones; a level nobody knows is. */
export function reaches(level: unknown, least: LogLevel): boolean {
  const rank = RANKS.get(level);
  return rank === undefined || rank >= (RANKS.get(least) ?? 0);
}

/** Which log messages of its call a client takes: all from a level on, none, or whatever the server sends. */
export type LogWish = LogLevel | 'none' | 'any';

/** A modern client says so with each request; a legacy one may have said so in its session, and else leaves it to the server. */
export function logWishOf(call: ClassifiedRequest, ofSession: LogLevel | undefined): LogWish {
  if (call.era === 'legacy') return ofSession ?? 'any';
  const level = call.meta && ownMember(call.meta, META_LOG_LEVEL);
  return isLogLevel(level) ? level : 'none';
}
