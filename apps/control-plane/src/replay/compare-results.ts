import { createHash } from 'node:crypto';
import type { ReplayResult } from '@portcullis/contracts/api/replays';
import { diffJson, isJsonObject, META_SERVER_INFO, parseJson } from '@portcullis/mcp';

/** What is on record of a result. */
export interface RecordedResult {
  readonly hash: string | null;
  readonly bytes: number | null;
  readonly kept: Uint8Array | null;
}

export type Comparison = Pick<ReplayResult, 'same' | 'comparedBy' | 'changes' | 'changesTruncated'>;

const CHANGES_MAX = 200;
const VALUE_CHARS_MAX = 2000;

const nothingTold = { changes: [], changesTruncated: false };

export const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Place by place where the recorded result was kept whole, else by its digest: servers write the same result in the same bytes more often than not. */
export function compareResults({ hash, bytes, kept }: RecordedResult, text: string | undefined): Comparison {
  if (hash === null || text === undefined) return { same: null, comparedBy: 'none', ...nothingTold };
  if (sha256(text) === hash) return { same: true, comparedBy: 'hash', ...nothingTold };
  if (kept === null || kept.length !== bytes || sha256(kept) !== hash) return { same: false, comparedBy: 'hash', ...nothingTold };
  const changes = diffJson(contentOf(Buffer.from(kept).toString('utf8')), contentOf(text));
  const told = changes.slice(0, CHANGES_MAX).map((change) => ({
    pointer: change.pointer,
    change: change.change,
    ...('before' in change && { before: cut(change.before) }),
    ...('after' in change && { after: cut(change.after) }),
  }));
  return { same: changes.length === 0, comparedBy: 'value', changes: told, changesTruncated: changes.length > CHANGES_MAX };
}

/** What a result says, without what only tells of the protocol's era and of the server's software. */
function contentOf(text: string): unknown {
  const value: unknown = parseJson(text);
  if (!isJsonObject(value)) return value;
  const { resultType, _meta: meta, ...content } = value;
  const { [META_SERVER_INFO]: _software, ...told } = isJsonObject(meta) ? meta : {};
  const isMore = resultType !== undefined && resultType !== 'complete';
  return { ...content, ...(isMore && { resultType }), ...(Object.keys(told).length > 0 && { _meta: told }) };
}

/** As JSON, which says of what kind a value is. */
function cut(value: unknown): string {
  const json = JSON.stringify(value);
  return json.length > VALUE_CHARS_MAX ? `${json.slice(0, VALUE_CHARS_MAX)}…` : json;
}
