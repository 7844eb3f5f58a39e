import type { DefinitionKind } from '@portcullis/contracts/names';
import type { DefinitionEntry } from '@portcullis/contracts/snapshot';
import {
  hideArguments,
  isJsonObject,
  listFrame,
  parseJson,
  rewriteListEntry,
  toLegacyToolJson,
  type DefinitionKey,
  type Era,
  type Implementation,
} from '@portcullis/mcp';
import type { AgentView, VisibleTarget } from './agent-view.js';

/** Where a page starts: behind the target of this server and name, wherever that now is. */
export type Position = readonly [slug: string, name: string];

/** Which list, for whom, and what its encoding depends on. */
interface ListRequest {
  readonly kind: DefinitionKind;
  readonly era: Era;
  readonly after: Position | undefined;
  readonly serverInfo: Implementation;
  readonly cursorFor: (position: Position) => string;
}

/**
 * How long a modern client may keep a list: not at all. Changes reach those that listen, but a client need not listen, and one that keeps a list of
 * what it has lost only earns refusals; a list costs no call to a server.
 */
const TTL_MS = 0;
const PAGE_ITEMS_MAX = 500;
const PAGE_BYTES_MAX = 1024 * 1024;
const PAGES_KEPT_MAX = 64;

const KEYS: Readonly<Record<DefinitionKind, DefinitionKey>> = {
  tool: 'tools',
  prompt: 'prompts',
  resource: 'resources',
  resource_template: 'resourceTemplates',
};

const encoded = new WeakMap<DefinitionEntry, Map<string, Buffer>>();
const pages = new WeakMap<AgentView, Map<string, Buffer>>();
const COMMA = Buffer.from(',');

/** The encoded result of one page of a list; made once per view and page, from definitions that are encoded once each. */
export function listPage(view: AgentView, request: ListRequest): Buffer {
  const key = `${request.kind} ${request.era} ${request.after === undefined ? '' : JSON.stringify(request.after)}`;
  let kept = pages.get(view);
  if (kept === undefined) {
    kept = new Map();
    pages.set(view, kept);
  }
  const known = kept.get(key);
  if (known !== undefined) return known;
  const page = makePage(view, request);
  if (kept.size < PAGES_KEPT_MAX) kept.set(key, page);
  return page;
}

function makePage(view: AgentView, request: ListRequest): Buffer {
  const { kind, era, after, serverInfo, cursorFor } = request;
  const targets = view.list(kind);
  const start = after === undefined ? 0 : firstBehind(targets, after);
  const pieces: Buffer[] = [];
  let bytes = 0;
  let at = start;
  for (; at < targets.length && at - start < PAGE_ITEMS_MAX; at += 1) {
    const target = targets[at];
    if (target === undefined) break;
    const piece = encode(target, era);
    bytes += piece.length;
    if (bytes > PAGE_BYTES_MAX && pieces.length > 0) break;
    if (pieces.length > 0) pieces.push(COMMA);
    pieces.push(piece);
  }
  const last = at < targets.length ? targets[at - 1] : undefined;
  const nextCursor = last === undefined ? undefined : cursorFor([last.server.slug, last.definition.name]);
  const { head, tail } = listFrame(KEYS[kind], { era, serverInfo, nextCursor, ttlMs: TTL_MS });
  return Buffer.concat([Buffer.from(head), ...pieces, Buffer.from(tail)]);
}

function firstBehind(targets: readonly VisibleTarget[], [slug, name]: Position): number {
  const found = targets.findIndex(({ server, definition }) => server.slug > slug || (server.slug === slug && definition.name > name));
  return found < 0 ? targets.length : found;
}

/** A definition as lists show it: the server's own bytes under the agent's name, less what the era cannot read. */
function encode({ definition, wire, hidden }: VisibleTarget, era: Era): Buffer {
  let forms = encoded.get(definition);
  if (forms === undefined) {
    forms = new Map();
    encoded.set(definition, forms);
  }
  const form = hidden.length === 0 ? `${era} ${wire}` : `${era} ${wire} ${JSON.stringify(hidden)}`;
  const known = forms.get(form);
  if (known !== undefined) return known;
  let json = wire === definition.name ? definition.json : rewriteListEntry(definition.json, wire);
  if (hidden.length > 0) json = hideArguments(json, hidden);
  if (era === 'legacy' && definition.kind === 'tool') {
    const value: unknown = parseJson(json);
    if (isJsonObject(value)) json = toLegacyToolJson(json, value);
  }
  const bytes = Buffer.from(json);
  forms.set(form, bytes);
  return bytes;
}
