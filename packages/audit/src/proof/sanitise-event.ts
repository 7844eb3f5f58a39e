import type { AuditEvent } from '@portcullis/contracts/audit';
import { sanitiseText } from '../sanitise-text.js';

/** Members whose text somebody else may have written: what Postgres refuses in them is replaced. */
const TEXTS = [
  ...(['agent', 'keyId', 'operator', 'server', 'tool', 'definitionHash', 'reason', 'traceId', 'argumentsHash', 'resultHash', 'task'] as const),
] as const;

/** The event as its row will hold it. */
export function sanitiseEvent(event: AuditEvent): AuditEvent {
  const clean = { ...event, method: sanitiseText(event.method) };
  for (const member of TEXTS) {
    const text = event[member];
    if (typeof text === 'string') clean[member] = sanitiseText(text);
  }
  return clean;
}
