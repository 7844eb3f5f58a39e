import type { DefinitionKind } from '@portcullis/contracts/names';
import type { DefinitionEntry, ServerEntry } from '@portcullis/contracts/snapshot';
import { canonicalUri, decide, decideUri, shadowDecision, type Decision, type JsonObject, type PolicyTable, type Target } from '@portcullis/policy';
import type { Asked } from '../audit/call-record.js';
import { policyTarget } from '../policy/decide-target.js';
import type { AgentView } from '../view/agent-view.js';
import type { Visit } from '../visit.js';
import { NAME_CHARS_MAX } from './resolve-target.js';

interface AskedAt {
  readonly visit: Pick<Visit, 'slug' | 'live' | 'now'>;
  readonly view: AgentView;
  readonly args: JsonObject | undefined;
}

/**
 * What the trail says about a name that led nowhere: the server it points to, where there is one, and why that did not do. The agent never learns
 * it.
 */
export function describeAsked(name: string, kind: DefinitionKind, at: AskedAt): Asked {
  if (kind === 'resource' || kind === 'resource_template') return describeUri(name, at);
  const { visit, view, args } = at;
  const { server, own } = pointedAt(name, visit);
  const definition = server?.definitions.find((one) => one.kind === kind && one.name === own);
  // Decided whatever is there, so that how long it takes tells nobody what is.
  const target = policyTarget({ server: server ?? NOWHERE, definition: definition ?? { kind, name: own, json: '{}' }, wire: own });
  const decision = decide(view.table, target, args, visit.now);
  const shadow = shadowDecision(view.table, target, args, { now: visit.now, decision });
  if (server === undefined) return { server: null, name, reason: 'unknown_server' };
  if (!server.enabled) return { server, name: own, reason: 'server_disabled' };
  if (definition === undefined) return { server, name: own, reason: withholds(server, kind, own) ? 'withheld' : 'not_offered' };
  return { server, name: own, ...reasonOf(decision), shadow };
}

const NOWHERE: Target['server'] = { id: '00000000-0000-0000-0000-000000000000', slug: '', tags: [], environment: null };

const reasonOf = ({ reasons, grantId }: Decision): Pick<Asked, 'reason' | 'grantId'> => ({ reason: reasons[0]?.code ?? 'unknown_name', grantId });

function pointedAt(name: string, { slug, live }: Pick<Visit, 'slug' | 'live'>): { server: ServerEntry | undefined; own: string } {
  if (slug !== null) return { server: live.serversBySlug.get(slug), own: name };
  const [, first, rest] = /^([a-z0-9-]{1,32}?)(?:__|:|\.)(.+)$/s.exec(name.slice(0, NAME_CHARS_MAX)) ?? [];
  const server = first === undefined ? undefined : live.serversBySlug.get(first);
  return { server, own: server === undefined ? name : (rest ?? name) };
}

/** A URI says nothing of its server: whichever offers it, one of which a grant denies it before others. */
function describeUri(uri: string, at: AskedAt): Asked {
  const { slug, live } = at.visit;
  const only = slug === null ? undefined : live.serversBySlug.get(slug);
  if (slug !== null && only === undefined) return { server: null, name: uri, reason: 'unknown_server' };
  if (only?.enabled === false) return { server: only, name: uri, reason: 'server_disabled' };
  const servers = only === undefined ? serversWithResources(live) : [only];
  const found = uri.length > NAME_CHARS_MAX ? undefined : findOffer(uri, servers, at);
  if (found !== undefined) return found;
  const holder = servers.find((server) => withholds(server, 'resource', uri) || withholds(server, 'resource_template', uri));
  return { server: holder ?? only ?? null, name: uri, reason: holder === undefined ? 'not_offered' : 'withheld' };
}

/** Whether the server still offers this, but no longer as it was approved. */
const withholds = ({ withheld }: ServerEntry, kind: DefinitionKind, name: string): boolean =>
  withheld?.some((one) => one.kind === kind && one.name === name) === true;

function findOffer(uri: string, servers: readonly ServerEntry[], at: AskedAt): Asked | undefined {
  const asIs = servers.flatMap((server) => refusalAt(server, uri, at) ?? []);
  const found = asIs.find(({ grantId }) => typeof grantId === 'string') ?? asIs[0];
  const normal = canonicalUri(uri);
  if (found !== undefined || normal === uri) return found;
  const server = servers.find(
    (one) => decideUri(at.view.table, { server: one, definitions: one.definitions }, normal, { args: at.args, now: at.visit.now }) !== undefined,
  );
  return server && { server, name: uri, reason: 'not_canonical' };
}

function refusalAt(server: ServerEntry, uri: string, at: AskedAt): Asked | undefined {
  const { table } = at.view;
  const decision = decisionAt(server, uri, at, table);
  if (decision === undefined) return undefined;
  if (!server.enabled) return { server, name: uri, reason: 'server_disabled' };
  const trial = table.trial && decisionAt(server, uri, at, table.trial);
  return { server, name: uri, ...reasonOf(decision), shadow: trial?.effect === decision.effect ? undefined : trial };
}

function decisionAt(server: ServerEntry, uri: string, { args, visit: { now } }: AskedAt, table: PolicyTable): Decision | undefined {
  const template = server.definitions.find(({ kind, name }) => kind === 'resource_template' && name === uri);
  if (template !== undefined) return decide(table, policyTarget({ server, definition: template, wire: uri }), args, now);
  return decideUri(table, { server, definitions: server.definitions }, uri, { args, now })?.decision;
}

const withResources = new WeakMap<Visit['live']['servers'], readonly ServerEntry[]>();
const isResource = ({ kind }: Pick<DefinitionEntry, 'kind'>): boolean => kind === 'resource' || kind === 'resource_template';

/** Looked for once for each state of all servers, of which most offer tools alone. */
function serversWithResources({ servers }: Visit['live']): readonly ServerEntry[] {
  let found = withResources.get(servers);
  if (found === undefined) {
    found = [...servers.values()]
      .filter(({ definitions, withheld = [] }) => definitions.some(isResource) || withheld.some(isResource))
      .sort((a, b) => (a.slug < b.slug ? -1 : 1));
    withResources.set(servers, found);
  }
  return found;
}
