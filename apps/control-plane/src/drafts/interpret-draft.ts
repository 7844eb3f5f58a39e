import type { DraftChange } from '@portcullis/contracts/api/drafts';
import type { Transaction } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import type { PolicyChange } from '../changes/policy-changes.js';
import { ProblemError } from '../http/problem.js';
import { draftServices, type DraftServices } from './draft-services.js';

/** What a draft did: how many of its changes changed something, and which servers are to be asked again. */
export interface Interpreted {
  readonly changed: number;
  readonly discover: readonly string[];
}

/** Parts that a revision tells one by one; its diff has all of them. */
const PARTS_MAX = 100;

/** Makes all changes of a draft in the caller's transaction, by the rules of REST. A refusal names the change that it is about. */
export async function interpretDraft(tx: Transaction, author: Author, changes: readonly DraftChange[]): Promise<PolicyChange<Interpreted>> {
  const services = draftServices(tx);
  for (const [place, change] of changes.entries()) {
    try {
      await makeChange(services, author, change);
    } catch (error) {
      throw placed(error, `/changes/${place}`);
    }
  }
  const { parts, dirty } = services.parts;
  const result = { changed: parts.length, discover: [...services.discover] };
  if (parts.length === 0) return { result, unchanged: true };
  return { result, subject: { kind: 'draft', id: 'draft' }, change: { changes: parts.length, parts: parts.slice(0, PARTS_MAX) }, dirty };
}

async function makeChange(services: DraftServices, author: Author, change: DraftChange): Promise<unknown> {
  const { agents, groups, grants, requestable, servers, definitions, settings } = services;
  switch (change.do) {
    case 'grant.create':
      return grants.create(author, change.grant);
    case 'grant.update':
      return grants.update(author, change.id, change.change);
    case 'grant.delete':
      return grants.delete(author, change.id);
    case 'requestable.create':
      return requestable.create(author, change.rule);
    case 'requestable.update':
      return requestable.update(author, change.id, change.change);
    case 'requestable.delete':
      return requestable.delete(author, change.id);
    case 'group-member.add':
      return groups.addMember(author, change.group, change.agent);
    case 'group-member.remove':
      return groups.removeMember(author, change.group, change.agent);
    case 'group.create':
      return groups.create(author, change.group);
    case 'group.delete':
      return groups.delete(author, change.group);
    case 'agent.create':
      return agents.create(author, change.agent);
    case 'agent.update':
      return agents.update(author, change.agent, change.change);
    case 'agent.delete':
      return agents.delete(author, change.agent);
    case 'server.update':
      return servers.update(author, change.server, change.change);
    case 'definitions.approve':
      return definitions.decide(author, change.server, 'approve', change.definitions);
    case 'definitions.reject':
      return definitions.decide(author, change.server, 'reject', change.definitions);
    case 'settings.update':
      return settings.update(author, change.change);
  }
}

function placed(error: unknown, place: string): unknown {
  if (!(error instanceof ProblemError)) return error;
  const faults = error.faults.length === 0 ? [{ pointer: place, detail: error.detail ?? error.message }] : error.faults;
  const moved = faults.map(({ pointer, detail }) => ({ pointer: pointer === place ? place : place + pointer, detail }));
  return new ProblemError(error.key, error.detail, moved, { cause: error });
}
