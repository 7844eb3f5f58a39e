import type { DefinitionKind } from '@portcullis/contracts/names';
import type { ServerEntry } from '@portcullis/contracts/snapshot';
import { decide, shadowDecision, type JsonObject } from '@portcullis/policy';
import type { Asked } from './audit/call-record.js';
import { NAME_CHARS_MAX, policyTarget } from './resolve-target.js';
import type { AgentView } from './view/agent-view.js';
import type { Visit } from './visit.js';

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
  const { visit, view, args } = at;
  const { server, own } = pointedAt(name, visit);
  if (server === undefined) return { server: null, name, reason: 'unknown_server' };
  if (!server.enabled) return { server, name: own, reason: 'server_disabled' };
  const definition = server.definitions.find((one) => one.kind === kind && one.name === own);
  if (definition === undefined) return { server, name: own, reason: 'not_offered' };
  const target = policyTarget({ server, definition });
  const decision = decide(view.table, target, args, visit.now);
  const shadow = shadowDecision(view.table, target, args, { now: visit.now, decision });
  return { server, name: own, reason: decision.reasons[0]?.code ?? 'unknown_name', shadow };
}

function pointedAt(name: string, { slug, live }: Pick<Visit, 'slug' | 'live'>): { server: ServerEntry | undefined; own: string } {
  if (slug !== null) return { server: live.serversBySlug.get(slug), own: name };
  const [, first, rest] = /^([a-z0-9-]{1,32}?)(?:__|:|\.)(.+)$/s.exec(name.slice(0, NAME_CHARS_MAX)) ?? [];
  const server = first === undefined ? undefined : live.serversBySlug.get(first);
  return { server, own: server === undefined ? name : (rest ?? name) };
}
