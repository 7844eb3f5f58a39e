import type { z } from 'zod';
import { received, sent } from './narrate.js';
import { reach, type Stack } from './stack.js';

/** One request to the control plane: what is expected back, and how much of it is printed. */
export interface OperatorRequest<S extends z.ZodType> {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  body?: unknown;
  answer: S;
  quiet?: boolean;
}

/** Asks the control plane as the operator. Ends the tour on any status but 2xx, with the problem document's own words. */
export async function ask<S extends z.ZodType>(stack: Stack, request: OperatorRequest<S>): Promise<z.infer<S>> {
  const url = new URL(request.path, stack.controlPlaneUrl).href;
  if (!request.quiet) sent(`${request.method} ${url}\nauthorization: Bearer <the operator's token>`, request.body);
  const headers: Record<string, string> = { accept: 'application/json', authorization: `Bearer ${stack.operatorToken}` };
  // The tour is alone with its stack: whatever it deletes is as it made it.
  if (request.method === 'DELETE') headers['if-match'] = '*';
  if (request.body !== undefined) headers['content-type'] = 'application/json';
  const body = request.body === undefined ? null : JSON.stringify(request.body);
  const answer = await reach(url, { method: request.method, headers, body });
  const text = await answer.text();
  if (!request.quiet) received(`${answer.status} ${answer.headers.get('content-type') ?? ''}`.trimEnd(), text);
  if (!answer.ok) throw new Error(`${request.method} ${url} answered ${answer.status}: ${text.slice(0, 500)}`);
  return request.answer.parse(text === '' ? undefined : JSON.parse(text));
}
