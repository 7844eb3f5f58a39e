import type { DraftChange } from '@portcullis/contracts/api/drafts';
import type { Author } from '../changes/author.js';
import type { PolicyChange } from '../changes/policy-changes.js';
import type { DraftServices } from './draft-services.js';

type ChangeOf<Do extends DraftChange['do']> = Extract<DraftChange, { do: Do }>;

interface Making<Change> {
  /** What a part of the revision is called. */
  readonly action: string;
  readonly make: (services: DraftServices, changes: readonly Change[], author: Author) => Promise<readonly PolicyChange<unknown>[]>;
}

const rules: { readonly [Do in 'grant.create' | 'grant.update' | 'grant.delete' | 'requestable.create' | 'limit.create']: Making<ChangeOf<Do>> } = {
  'grant.create': {
    action: 'grant.created',
    make: (services, changes, author) => {
      const wanted = changes.map(({ grant }) => grant);
      return services.grants.createAllIn(services.tx, author, wanted);
    },
  },
  'grant.update': { action: 'grant.updated', make: (services, changes) => services.grants.updateAllIn(services.tx, changes) },
  'grant.delete': {
    action: 'grant.deleted',
    make: (services, changes) => {
      const ids = changes.map(({ id }) => id);
      return services.grants.deleteAllIn(services.tx, ids);
    },
  },
  'requestable.create': {
    action: 'requestable.created',
    make: (services, changes, author) => {
      const wanted = changes.map(({ rule }) => rule);
      return services.requestable.createAllIn(services.tx, author, wanted);
    },
  },
  'limit.create': {
    action: 'limit.created',
    make: (services, changes, author) => {
      const wanted = changes.map(({ limit }) => limit);
      return services.limits.createAllIn(services.tx, author, wanted);
    },
  },
};

const agents: { readonly [Do in 'agent.create' | 'agent.update' | 'agent.delete']: Making<ChangeOf<Do>> } = {
  'agent.create': {
    action: 'agent.created',
    make: (services, changes) => {
      const wanted = changes.map(({ agent }) => agent);
      return services.agents.createAllIn(services.tx, wanted);
    },
  },
  'agent.update': { action: 'agent.updated', make: (services, changes) => services.agents.updateAllIn(services.tx, changes) },
  'agent.delete': {
    action: 'agent.deleted',
    make: (services, changes) => {
      const slugs = changes.map(({ agent }) => agent);
      return services.agents.deleteAllIn(services.tx, slugs);
    },
  },
};

const groups: { readonly [Do in 'group.create' | 'group-member.add' | 'group-member.remove']: Making<ChangeOf<Do>> } = {
  'group.create': {
    action: 'group.created',
    make: (services, changes) => {
      const wanted = changes.map(({ group }) => group);
      return services.groups.createAllIn(services.tx, wanted);
    },
  },
  'group-member.add': { action: 'group-member.added', make: (services, changes) => services.groups.addMembersIn(services.tx, changes) },
  'group-member.remove': { action: 'group-member.removed', make: (services, changes) => services.groups.removeMembersIn(services.tx, changes) },
};

const servers: { readonly [Do in 'server.update']: Making<ChangeOf<Do>> } = {
  'server.update': {
    action: 'server.updated',
    make: async (services, changes) => {
      const done = await services.servers.updateAllIn(services.tx, changes);
      await services.servers.askMoved(done.map(({ result }) => result));
      return done;
    },
  },
};

const together = { ...rules, ...agents, ...groups, ...servers };

/** Sorts of changes of which many are made by a few statements. */
export type DoneTogether = keyof typeof together;

export const isDoneTogether = (what: DraftChange['do']): what is DoneTogether => Object.hasOwn(together, what);

/** Makes changes of one sort in their order. What one of them is refused for is found before any is written. */
export async function makeTogether<Do extends DoneTogether>(
  services: DraftServices,
  author: Author,
  what: Do,
  changes: readonly DraftChange[],
): Promise<void> {
  const making: { readonly [Each in DoneTogether]: Making<ChangeOf<Each>> } = together;
  const { action, make } = making[what] as Making<DraftChange>;
  services.parts.take(action, await make(services, changes, author));
}
