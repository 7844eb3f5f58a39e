import type { DraftChange } from '@portcullis/contracts/api/drafts';
import type { PolicyFile } from '@portcullis/contracts/api/policy-file';
import { differing } from '../database/differing.js';
import { byText } from '../drafts/access-diff.js';
import { grantChanges } from './grant-changes.js';
import { limitChanges } from './limit-changes.js';
import { requestableChanges } from './requestable-changes.js';
import type { WholePolicy } from './read-policy.js';

/** The changes that make policy say what the file says, in an order in which each can be made. None where it says so already. Pure. */
export function changesToPolicy(file: PolicyFile, now: WholePolicy, prune: boolean): DraftChange[] {
  const leftOut = <T>(section: Readonly<Record<string, T>> | undefined, existing: Readonly<Record<string, T>>): string[] =>
    prune && section !== undefined ? Object.keys(existing).filter((slug) => !Object.hasOwn(section, slug)) : [];
  const grants = grantChanges(file.grants, now.grants, prune);
  const rules = requestableChanges(file.requestable, now.requestable, prune);
  const gone = { agents: new Set(leftOut(file.agents, now.agents)), groups: new Set(leftOut(file.groups, now.groups)) };
  return [
    ...settingsChange(file, now),
    ...serverChanges(file, now),
    ...agentChanges(file, now),
    ...groupChanges(file, now, prune),
    ...grants,
    ...rules,
    ...limitChanges(file.limits, now.limits, prune),
    // Last: what was theirs goes with them, and is pruned or kept by its own section before.
    ...[...gone.groups].map((group): DraftChange => ({ do: 'group.delete', group })),
    ...[...gone.agents].map((agent): DraftChange => ({ do: 'agent.delete', agent })),
  ];
}

function settingsChange({ settings }: PolicyFile, now: WholePolicy): DraftChange[] {
  const change = differing(now.settings, settings ?? {});
  return Object.keys(change).length === 0 ? [] : [{ do: 'settings.update', change }];
}

function serverChanges({ servers = {} }: PolicyFile, now: WholePolicy): DraftChange[] {
  return Object.entries(servers).flatMap(([server, { tags, ...wanted }]): DraftChange[] => {
    const existing = now.servers[server];
    // Left to the change to refuse: a file cannot register a server.
    const change = differing(existing ?? {}, { ...wanted, tags: [...new Set(tags)].toSorted(byText) });
    return Object.keys(change).length === 0 ? [] : [{ do: 'server.update', server, change }];
  });
}

function agentChanges({ agents = {} }: PolicyFile, now: WholePolicy): DraftChange[] {
  const created: DraftChange[] = [];
  const updated: DraftChange[] = [];
  for (const [agent, { name = agent, enabled, ...wanted }] of Object.entries(agents)) {
    const existing = now.agents[agent];
    if (existing === undefined) created.push({ do: 'agent.create', agent: { slug: agent, name, ...wanted } });
    const change = existing === undefined ? (enabled ? {} : { enabled }) : differing(existing, { name, enabled, ...wanted });
    if (Object.keys(change).length > 0) updated.push({ do: 'agent.update', agent, change });
  }
  return [...created, ...updated];
}

function groupChanges({ groups = {} }: PolicyFile, now: WholePolicy, prune: boolean): DraftChange[] {
  const created: DraftChange[] = [];
  const added: DraftChange[] = [];
  const removed: DraftChange[] = [];
  for (const [group, { name = group, members }] of Object.entries(groups)) {
    const existing = now.groups[group];
    if (existing === undefined) created.push({ do: 'group.create', group: { slug: group, name } });
    const [had, has] = [new Set(existing?.members), new Set(members)];
    for (const agent of has) if (!had.has(agent)) added.push({ do: 'group-member.add', group, agent });
    for (const agent of had) if (prune && !has.has(agent)) removed.push({ do: 'group-member.remove', group, agent });
  }
  return [...created, ...added, ...removed];
}
