import type { DraftChange } from '@portcullis/contracts/api/drafts';
import type { PolicyFile } from '@portcullis/contracts/api/policy-file';
import { differing } from '../database/differing.js';
import { byText } from '../drafts/access-diff.js';
import { grantChanges } from './grant-changes.js';
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
  return Object.entries(agents).flatMap(([slug, { name = slug, enabled, ...wanted }]): DraftChange[] => {
    const existing = now.agents[slug];
    if (existing === undefined) {
      const off: DraftChange[] = enabled ? [] : [{ do: 'agent.update', agent: slug, change: { enabled } }];
      return [{ do: 'agent.create', agent: { slug, name, ...wanted } }, ...off];
    }
    const change = differing(existing, { name, enabled, ...wanted });
    return Object.keys(change).length === 0 ? [] : [{ do: 'agent.update', agent: slug, change }];
  });
}

function groupChanges({ groups = {} }: PolicyFile, now: WholePolicy, prune: boolean): DraftChange[] {
  return Object.entries(groups).flatMap(([group, { name = group, members }]): DraftChange[] => {
    const existing = now.groups[group];
    const [had, has] = [new Set(existing?.members), new Set(members)];
    const created: DraftChange[] = existing === undefined ? [{ do: 'group.create', group: { slug: group, name } }] : [];
    const added = [...has].filter((agent) => !had.has(agent)).map((agent): DraftChange => ({ do: 'group-member.add', group, agent }));
    const removed = [...had].filter((agent) => prune && !has.has(agent)).map((agent): DraftChange => ({ do: 'group-member.remove', group, agent }));
    return [...created, ...added, ...removed];
  });
}
