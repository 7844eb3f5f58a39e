import type { ClassifiedRequest } from '@portcullis/mcp';

/** A modern call without parameters, as it was read. */
export const classifiedCall: ClassifiedRequest = {
  kind: 'request',
  era: 'modern',
  version: '2026-07-28',
  method: 'tools/call',
  id: 1,
  params: undefined,
  meta: undefined,
};
