import type { AuditCall } from '@portcullis/contracts/api/audit-calls';
import type { CallReplay } from '@portcullis/contracts/api/replays';
import type { AuditRecord } from '@portcullis/contracts/api/operations';
import { plainText } from '../plain-text.js';

/** A call in one line: when, who, what, how it ended. Names are foreign words. */
export function describeCall({
  callId,
  timestamp,
  agent,
  operator,
  method,
  server,
  tool,
  decision,
  status,
  reason,
  durationMs,
}: AuditRecord): string {
  const who = plainText(agent ?? operator ?? '(nobody known)', 64);
  const what = tool === null && server === null ? plainText(method, 120) : plainText([server, tool].filter((name) => name !== null).join(':'), 160);
  const end = [status, ...(decision === 'deny' && status !== 'denied' ? ['denied'] : []), ...(reason === null ? [] : [plainText(reason, 120)])];
  const took = durationMs === null ? '' : `  ${durationMs.toFixed(1)} ms`;
  return `${timestamp.slice(0, 23).replace('T', ' ')}  ${who} → ${what}  ${end.join(', ')}${took}  ${callId}`;
}

const contentShown = 2000;

/** Everything about a call, part by part. */
export function describeStory({
  call,
  events,
  timings,
  retries,
  arguments: args,
  grant,
  definition,
  accessRequest,
  replays,
  questions,
}: AuditCall): string {
  const lines = [
    describeCall(call),
    ...events.map(({ at, phase, status, node, seq }) => `  ${at}  ${phase}: ${status} (${plainText(node, 64)}, number ${seq})`),
    `  time: ${msText(timings.totalMs)} in all, ${msText(timings.upstreamMs)} at the server, ${msText(timings.gatewayMs)} here${retries === 0 ? '' : `, sent ${retries + 1} times`}`,
    `  arguments (${keptText(args.kept, args.bytes)}): ${contentText(args.value)}`,
    `  result (${call.result === null ? 'none kept' : `${call.result.bytes} bytes`}): ${plainText(call.result?.summary ?? '', contentShown)}`,
  ];
  if (grant !== null) lines.push(`  grant ${grant.id}${grant.now === null ? ', which is no more' : ''}: ${contentText(grant.atCall)}`);
  if (definition !== null)
    lines.push(`  definition ${definition.hash}${definition.approvedNow ? '' : ', which is not offered and approved any more'}`);
  if (accessRequest !== null) lines.push(`  asked for in ${accessRequest.id}: ${plainText(accessRequest.reason, 500)}`);
  lines.push(...questions.map(({ at, method, status, callId }) => `  ${at}  the server asked ${plainText(method, 120)}: ${status} (${callId})`));
  lines.push(...replays.map(replayText));
  if (call.traceId !== null) lines.push(`  trace ${plainText(call.traceId, 64)}`);
  return lines.join('\n');
}

const sameness = { true: ', the result was the same', false: ', the result was another', null: '' } as const;

const replayText = ({ at, operator, target, status, same, reason }: CallReplay): string =>
  `  ${at}  made again by ${plainText(operator, 64)} at ${plainText(target, 64)}: ${status}${sameness[String(same) as keyof typeof sameness]} (${plainText(reason, 500)})`;

const msText = (ms: number | null): string => (ms === null ? 'unknown' : `${ms.toFixed(1)} ms`);

const keptText = (kept: AuditCall['arguments']['kept'], bytes: number | null): string =>
  ({
    whole: `${bytes ?? 0} bytes`,
    part: `the beginning of ${bytes ?? 0} bytes`,
    redacted: `of ${bytes ?? 0} bytes, without secrets`,
    hashed: `${bytes ?? 0} bytes, of which only a digest was kept`,
    none: 'not kept',
  })[kept];

const contentText = (value: unknown): string => plainText(JSON.stringify(value) ?? '', contentShown);
