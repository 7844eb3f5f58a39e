import { openText, type Sealer } from '@portcullis/secrets';
import type { Position } from './list-pages.js';

/** Whose list a cursor goes on with; it opens nowhere else. */
export interface CursorPlace {
  readonly method: string;
  readonly agentId: string;
  readonly slug: string | null;
}

/** Enough for a URI of 2,048 characters of which each takes three bytes: a shorter bound would end every list behind such a one. */
const CURSOR_CHARS_MAX = 10_000;

/** A cursor that any node opens, and that means the same place in the list of any revision. */
export function sealCursor(sealer: Sealer, position: Position, place: CursorPlace): string {
  return sealer.seal(JSON.stringify(position), aadOf(place));
}

/** The place a cursor stands for; undefined for one that is not ours, or not of this agent and list. */
export function openCursor(sealer: Sealer, cursor: string, place: CursorPlace): Position | undefined {
  if (cursor.length > CURSOR_CHARS_MAX) return undefined;
  const text = openText(sealer, cursor, aadOf(place));
  const content: unknown = text === undefined ? undefined : JSON.parse(text);
  if (!Array.isArray(content)) return undefined;
  const [slug, name]: unknown[] = content;
  return typeof slug === 'string' && typeof name === 'string' ? [slug, name] : undefined;
}

function aadOf({ method, agentId, slug }: CursorPlace): string {
  return `cursor|1|${method}|${agentId}|${slug ?? ''}`;
}
