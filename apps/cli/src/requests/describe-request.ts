import type { AccessRequest } from '@portcullis/contracts/api/access-requests';
import { plainText } from '../plain-text.js';

/** One request in two lines: what is asked for whom, and why. */
export function describeRequest(request: AccessRequest): string {
  const { id, agent, server, names, durationSeconds, status, filedBy, reason, decidedBy, decisionReason } = request;
  const what = names.map((name) => plainText(`${server}:${name}`)).join(', ');
  const by = filedBy === null ? 'the agent itself' : plainText(filedBy);
  const decision = decidedBy === null ? '' : ` by ${plainText(decidedBy)}${decisionReason === null ? '' : `: ${plainText(decisionReason, 500)}`}`;
  return `${id}  ${agent} → ${what} for ${durationText(durationSeconds)}, ${status}${decision}\n  asked by ${by}: ${plainText(reason, 500)}`;
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
