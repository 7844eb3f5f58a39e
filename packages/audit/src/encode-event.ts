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

/** Hashes (hex) and foreign content (base64) hold nothing that a JSON string would escape. */
const plain = (text: string | null): string => (text === null ? 'null' : `"${text}"`);

/** The members of an event in the order of its encoding. It only ever grows at the end: spools and queues hold what older nodes wrote. */
const MEMBERS: readonly (keyof AuditEvent)[] = [
  ...(['id', 'seq', 'callId', 'phase', 'at', 'method', 'agentId', 'agent', 'keyId', 'operator'] as const),
  ...(['serverId', 'server', 'tool', 'definitionHash', 'decision', 'reason', 'grantId', 'epoch', 'revision'] as const),
  ...(['status', 'durationUs', 'upstreamUs', 'era', 'traceId', 'argumentsHash', 'argumentsBytes', 'arguments'] as const),
  ...(['resultHash', 'resultBytes', 'resultSummary', 'truncated'] as const),
  ...(['shadowDecision', 'shadowGrantId', 'task', 'onBehalfOf', 'claimedAgent', 'units', 'argumentsCapture', 'resultCapture', 'retries'] as const),
];

/** The members whose text stays the same from call to call: what one key does at one target under one revision. */
const LASTING = [
  ...(['method', 'agentId', 'agent', 'keyId', 'operator', 'serverId', 'server', 'tool'] as const),
  ...(['definitionHash', 'decision', 'reason', 'grantId', 'epoch', 'revision'] as const),
] as const;

/** The text of those members, and of which event it is. */
class Lasting {
  readonly json: string;
  private readonly of: Pick<NewAuditEvent, (typeof LASTING)[number]>;

  constructor(event: NewAuditEvent) {
    const { method, agentId, agent, keyId, operator, serverId, server, tool, definitionHash, decision, reason, grantId, epoch, revision } = event;
    this.of = { method, agentId, agent, keyId, operator, serverId, server, tool, definitionHash, decision, reason, grantId, epoch, revision };
    this.json = LASTING.map((member) => JSON.stringify(this.of[member])).join(',');
  }

  /** Mostly the very same strings are compared, which costs no look at their characters. */
  isOf(event: NewAuditEvent): boolean {
    const { of } = this;
    return (
      of.method === event.method &&
      of.keyId === event.keyId &&
      of.agentId === event.agentId &&
      of.agent === event.agent &&
      of.operator === event.operator &&
      of.serverId === event.serverId &&
      of.server === event.server &&
      of.tool === event.tool &&
      of.definitionHash === event.definitionHash &&
      of.decision === event.decision &&
      of.reason === event.reason &&
      of.grantId === event.grantId &&
      of.epoch === event.epoch &&
      of.revision === event.revision
    );
  }
}

const LASTING_MAX = 4096;
const lasting = new Map<string | null, Map<string | null, Lasting>>();
let lastingCount = 0;

function lastingOf(event: NewAuditEvent): string {
  const ofKey = lasting.get(event.keyId);
  const known = ofKey?.get(event.definitionHash);
  if (known?.isOf(event) === true) return known.json;
  const made = new Lasting(event);
  if (known === undefined && (lastingCount += 1) > LASTING_MAX) {
    lasting.clear();
    lastingCount = 1;
  }
  const place = lasting.get(event.keyId) ?? new Map<string | null, Lasting>();
  lasting.set(event.keyId, place.set(event.definitionHash, made));
  return made.json;
}

/**
 * An event as the JSON array of its members. Every byte is copied, checked and escaped some ten times on its way to Postgres, so the names of
 * members are left out; what calls repeat is written once, since each piece that a text is put together from is an allocation.
 */
export function encodeEvent(id: string, seq: number, event: NewAuditEvent): string {
  const how =
    `,"${event.status}",${event.durationUs},${event.upstreamUs},${name(event.era)}` +
    (event.traceId === null && event.argumentsHash === null && event.argumentsBytes === null && event.arguments === null
      ? ',null,null,null,null'
      : `,${once(event.traceId)},${plain(event.argumentsHash)},${event.argumentsBytes},${plain(event.arguments)}`);
  const result =
    event.resultHash === null && event.resultBytes === null && event.resultSummary === null
      ? ',null,null,null'
      : `,${plain(event.resultHash)},${event.resultBytes},${plain(event.resultSummary)}`;
  return `["${id}",${seq},"${event.callId}","${event.phase}",${event.at},${lastingOf(event)}${how}${result},${event.truncated}${restOf(event)}]`;
}

/** Most events have none of it and are not longer for it. */
function restOf(event: NewAuditEvent): string {
  const { shadowDecision = null, shadowGrantId = null, task = null, onBehalfOf = null, claimedAgent = null, units = null } = event;
  const { argumentsCapture = null, resultCapture = null, retries = null } = event;
  const isCaptured = argumentsCapture !== null || resultCapture !== null || retries !== null;
  if (shadowDecision === null && task === null && onBehalfOf === null && claimedAgent === null && units === null && !isCaptured) return '';
  const shadow = `,${name(shadowDecision)},${name(shadowGrantId)}`;
  const callers = `,${name(onBehalfOf)},${name(claimedAgent)}`;
  const captures = `,${name(argumentsCapture)},${name(resultCapture)}`;
  if (isCaptured) return `${shadow},${name(task)}${callers},${unitsJson(units)}${captures}${retries === null ? '' : `,${retries}`}`;
  if (units !== null) return `${shadow},${name(task)}${callers},${unitsJson(units)}`;
  if (claimedAgent !== null) return `${shadow},${name(task)}${callers}`;
  if (onBehalfOf !== null) return `${shadow},${name(task)},${name(onBehalfOf)}`;
  return task === null ? shadow : `${shadow},${name(task)}`;
}

/** In one order, whichever a database gives them back in. */
const unitsJson = (units: Readonly<Record<string, number>> | null): string =>
  units === null ? 'null' : JSON.stringify(Object.fromEntries(Object.entries(units).sort(([one], [other]) => (one < other ? -1 : 1))));

/** The event of an encoding, not yet judged. Throws a SyntaxError for what is no JSON. */
export function decodeEvent(json: string): unknown {
  const value: unknown = JSON.parse(json);
  if (!Array.isArray(value)) return value;
  return Object.fromEntries(MEMBERS.map((member, place) => [member, (value as unknown[])[place]]));
}
