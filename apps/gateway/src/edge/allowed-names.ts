/** Judges a `Host` or `Origin` header against a configured list. */
export type NameFilter = (header: string | undefined) => boolean;

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'] as const;
const HOST = /^(\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}[a-z0-9_])?)(?::(\d{1,5}))?$/;
const ORIGIN = /^(https?):\/\/(.+)$/;
const REMEMBERED_MAX = 256;

/**
 * Hosts this node answers to: a listed `name` at any port, a listed `name:port` at that port. An empty list means the loopback names, which is
 * what stops a page in a browser from reaching a node on the same machine under a name of its own.
 */
export function hostFilter(allowed: readonly string[]): NameFilter {
  const names = new Set((allowed.length === 0 ? LOOPBACK : allowed).map((name) => name.toLowerCase()));
  return remembered((header) => {
    if (header === undefined) return false;
    const match = HOST.exec(header.toLowerCase());
    return match !== null && (names.has(match[0]) || names.has(match[1] ?? ''));
  });
}

/** Origins that may call from a page; a request without `Origin` comes from no page. An empty list means the loopback names at any port. */
export function originFilter(allowed: readonly string[]): NameFilter {
  const origins = new Set(allowed.map((origin) => origin.toLowerCase()));
  const isLoopback = hostFilter([]);
  return remembered((header) => {
    if (header === undefined) return true;
    const match = ORIGIN.exec(header.toLowerCase());
    if (match === null) return false;
    return origins.size === 0 ? isLoopback(match[2]) : origins.has(match[0]);
  });
}

/** The same few headers come with every request; a bounded memory of verdicts makes judging them a look-up. */
function remembered(judge: NameFilter): NameFilter {
  const verdicts = new Map<string | undefined, boolean>();
  return (header) => {
    const known = verdicts.get(header);
    if (known !== undefined) return known;
    const verdict = judge(header);
    if (verdicts.size >= REMEMBERED_MAX) verdicts.clear();
    verdicts.set(header, verdict);
    return verdict;
  };
}
