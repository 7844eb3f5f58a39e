import type { AuditEvent, NewAuditEvent } from '@portcullis/contracts/audit';

const KEPT_MAX = 4096;
const KEPT_CHARS_MAX = 128;
const kept = new Map<string, string>();

/** The few names that events repeat are quoted once. */
function name(text: string | null): string {
  if (text === null) return 'null';
  const known = kept.get(text);
  if (known !== undefined) return known;
  const json = JSON.stringify(text);
  if (text.length > KEPT_CHARS_MAX) return json;
  if (kept.size === KEPT_MAX) kept.clear();
  kept.set(text, json);
  return json;
}

const once = (text: string | null): string => (text === null ? 'null' : JSON.stringify(text));

/** The members of an event in the order of its encoding. It only ever grows at the end: spools and queues hold what older nodes wrote. */
const MEMBERS: readonly (keyof AuditEvent)[] = [
  ...(['id', 'seq', 'callId', 'phase', 'at', 'method', 'agentId', 'agent', 'keyId', 'operator'] as const),
  ...(['serverId', 'server', 'tool', 'definitionHash', 'decision', 'reason', 'grantId', 'epoch', 'revision'] as const),
  ...(['status', 'durationUs', 'upstreamUs', 'era', 'traceId', 'argumentsHash', 'argumentsBytes', 'arguments'] as const),
  ...(['resultHash', 'resultBytes', 'resultSummary', 'truncated'] as const),
  ...(['shadowDecision', 'shadowGrantId', 'task'] as const),
];

/**
 * An event as the JSON array of its members. Every byte is copied, checked and escaped some ten times on its way to Postgres, so the names of
 * members are left out and what events repeat is quoted once.
 */
export function encodeEvent(id: string, seq: number, event: NewAuditEvent): string {
  const who =
    `["${id}",${seq},${once(event.callId)},"${event.phase}",${event.at},${name(event.method)}` +
    `,${name(event.agentId)},${name(event.agent)},${name(event.keyId)},${name(event.operator)}`;
  const what =
    `,${name(event.serverId)},${name(event.server)},${name(event.tool)},${name(event.definitionHash)}` +
    `,"${event.decision}",${name(event.reason)},${name(event.grantId)},${event.epoch},${event.revision}`;
  const how =
    `,"${event.status}",${event.durationUs},${event.upstreamUs},${name(event.era)}` +
    `,${once(event.traceId)},${once(event.argumentsHash)},${event.argumentsBytes},${once(event.arguments)}`;
  return `${who}${what}${how},${once(event.resultHash)},${event.resultBytes},${once(event.resultSummary)},${event.truncated}${restOf(event)}]`;
}

/** Most events have neither and are not longer for it. */
function restOf({ shadowDecision = null, shadowGrantId = null, task = null }: NewAuditEvent): string {
  if (shadowDecision === null && task === null) return '';
  const shadow = `,${name(shadowDecision)},${name(shadowGrantId)}`;
  return task === null ? shadow : `${shadow},${name(task)}`;
}

/** The event of an encoding, not yet judged. Throws a SyntaxError for what is no JSON. */
export function decodeEvent(json: string): unknown {
  const value: unknown = JSON.parse(json);
  if (!Array.isArray(value)) return value;
  return Object.fromEntries(MEMBERS.map((member, place) => [member, (value as unknown[])[place]]));
}
