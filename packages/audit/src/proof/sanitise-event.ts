import type { AuditEvent } from '@portcullis/contracts/audit';
import { sanitiseText } from '../sanitise-text.js';

/** Members whose text somebody else may have written: what Postgres refuses in them is replaced. */
const TEXTS = [
  'agent',
  'keyId',
  'operator',
  'server',
  'tool',
  'definitionHash',
  'reason',
  'traceId',
  'argumentsHash',
  'resultHash',
  'task',
  'onBehalfOf',
  'claimedAgent',
] as const;

/** The event as its row will hold it: mostly the very same one. */
export function sanitiseEvent(event: AuditEvent): AuditEvent {
  let clean = event;
  const method = sanitiseText(event.method);
  if (method !== event.method) clean = { ...clean, method };
  for (const member of TEXTS) {
    const text = event[member];
    if (typeof text !== 'string') continue;
    const cleaned = sanitiseText(text);
    if (cleaned !== text) clean = { ...clean, [member]: cleaned };
  }
  return clean;
}
