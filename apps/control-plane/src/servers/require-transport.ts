import type { Server } from '@portcullis/database';
import { ProblemError } from '../http/problem.js';

/** Refuses (400) pins that no server can meet: HTTP+SSE is how the older era was spoken, never 2026-07-28. */
export function requireTransport({ protocol, transportPin }: Pick<Server, 'protocol' | 'transportPin'>): void {
  if (protocol !== 'modern' || transportPin !== 'sse') return;
  const detail = 'HTTP+SSE carries the legacy protocol only: pin protocol to legacy or auto, or transport to streamable-http or auto.';
  throw new ProblemError('validation', undefined, [{ pointer: '/transport', detail }]);
}
