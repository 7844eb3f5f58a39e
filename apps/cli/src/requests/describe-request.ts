import type { AccessRequest } from '@portcullis/contracts/api/access-requests';
import type { Grant } from '@portcullis/contracts/api/grants';
import { plainText } from '../plain-text.js';

/** One request in two lines: what is asked for whom, and why. */
export function describeRequest(request: AccessRequest): string {
  const { id, agent, server, names, durationSeconds, status, filedBy, reason, decidedBy, decisionReason } = request;
  const what = names.map((name) => plainText(`${server}:${name}`)).join(', ');
  const by = filedBy === null ? 'the agent itself' : plainText(filedBy);
  const decision = decidedBy === null ? '' : ` by ${plainText(decidedBy)}${decisionReason === null ? '' : `: ${plainText(decisionReason, 500)}`}`;
  return `${id}  ${agent} → ${what} for ${durationText(durationSeconds)}, ${status}${decision}\n  asked by ${by}: ${plainText(reason, 500)}`;
}

/** What was given, which may be less than what was asked for. */
export function describeGiven({
  id,
  server,
  names,
  condition,
  expiresAt,
}: Pick<Grant, 'id' | 'server' | 'names' | 'condition' | 'expiresAt'>): string {
  const what = names.map((name) => plainText(`${server ?? ''}:${name}`)).join(', ');
  const where = condition === null ? '' : ` where ${plainText(condition, 500)}`;
  return `  given: ${what}${where} until ${expiresAt ?? 'it is taken away'} (grant ${id})`;
}

const units = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'm'],
] as const;

/** The largest unit that it is a whole number of. */
export function durationText(seconds: number): string {
  const [size, letter] = units.find(([each]) => seconds % each === 0) ?? [1, 's'];
  return `${seconds / size}${letter}`;
}
