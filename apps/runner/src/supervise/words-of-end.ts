import type { ChildEnd } from '../spawn/child.js';

/** How a child ended, in words for an operator. */
export function wordsOf({ code, signal, reason }: ChildEnd): string {
  if (reason !== undefined) return `The server was ended: ${reason}`;
  if (signal !== null) return `The server ended by ${signal}`;
  if (code !== null && code > 128 && code <= 192) return `The server ended by signal ${code - 128}`;
  return code === 0 ? 'The server ended by itself' : `The server ended with code ${String(code)}`;
}
