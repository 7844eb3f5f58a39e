import { SnapshotRefusal } from './snapshot-refusal.js';

export interface Schema<Content> {
  safeParse(value: unknown): { success: true; data: Content } | { success: false; error: unknown };
}

/** Reads verified bytes as JSON of one shape; unknown fields are left out. Throws a SnapshotRefusal `chunk_malformed`. */
export function decodeContent<Content>(schema: Schema<Content>, bytes: Uint8Array, what: string): Content {
  const parsed = schema.safeParse(parseJson(bytes, what));
  if (!parsed.success) throw new SnapshotRefusal('chunk_malformed', what, { cause: parsed.error });
  return parsed.data;
}

function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new SnapshotRefusal('chunk_malformed', what, { cause: error });
  }
}
