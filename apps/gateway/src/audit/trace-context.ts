import { ownMember, type JsonObject } from '@portcullis/mcp';

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const NO_TRACE = '0'.repeat(32);
const TRACESTATE_CHARS_MAX = 512;

/** The trace a W3C `traceparent` names, null for anything else. */
export function traceIdOf(traceparent: unknown): string | null {
  const id = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent)?.[1] : undefined;
  return id === undefined || id === NO_TRACE ? null : id;
}

/** Whether a key of `_meta` that carries trace context goes on to a server. Baggage stays here: nobody says what is in it, or for whom. */
export function passesOn(key: string, meta: JsonObject): boolean {
  switch (key) {
    case 'baggage':
      return false;
    case 'traceparent':
      return traceIdOf(meta['traceparent']) !== null;
    case 'tracestate': {
      const state = meta['tracestate'];
      return typeof state === 'string' && state.length <= TRACESTATE_CHARS_MAX && traceIdOf(ownMember(meta, 'traceparent')) !== null;
    }
    default:
      return true;
  }
}
