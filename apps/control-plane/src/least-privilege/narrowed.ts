import type { DraftChange } from '@portcullis/contracts/api/drafts';
import type { Grant } from '@portcullis/contracts/api/grants';
import { isGlob } from '@portcullis/policy';
import type { Use } from './usage.repository.js';

/** More names than this are no narrowing that anybody would review. */
const NAMES_MAX = 200;

/** Changes that make a grant say exactly what was used by it; none where it says that already, or too much was used. Pure. */
export function narrowed(grant: Grant, uses: readonly Use[]): DraftChange[] {
  if (uses.length === 0) return [{ do: 'grant.delete', id: grant.id }];
  const names = [...new Set(uses.map(({ name }) => name))].sort((a, b) => (a < b ? -1 : 1));
  // A name that reads as a glob cannot be granted as itself.
  if (names.length > NAMES_MAX || names.some(isGlob)) return [];
  if (grant.server !== null) {
    const isExact = names.length === new Set(grant.names).size && names.every((name) => grant.names.includes(name));
    return isExact ? [] : [{ do: 'grant.update', id: grant.id, change: { names } }];
  }
  const servers = Map.groupBy(uses, ({ server }) => server);
  const created = [...servers].map(([server, there]): DraftChange => ({
    do: 'grant.create',
    grant: copyFor(grant, server, [...new Set(there.map(({ name }) => name))]),
  }));
  return [...created, { do: 'grant.delete', id: grant.id }];
}

function copyFor(grant: Grant, server: string, names: string[]): Extract<DraftChange, { do: 'grant.create' }>['grant'] {
  const { subject, kind, effect, condition, pinned, rateLimit, mode, notBefore, expiresAt, reason } = grant;
  return {
    ...subject,
    server,
    names,
    kind,
    effect,
    condition,
    pinned,
    rateLimit,
    mode,
    notBefore,
    expiresAt,
    ...(reason === null ? {} : { reason }),
  };
}
