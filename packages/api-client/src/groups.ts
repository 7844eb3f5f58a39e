import { AgentPage, type CreateGroup, Group, GroupPage } from '@portcullis/contracts/api/agents';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import { path } from './path.js';
import type { Changed, ChangeOptions, Send } from './send.js';

/** Groups of agents, by id or slug. */
export interface GroupsApi {
  list: ListRoute<Partial<PageQuery>, z.output<typeof GroupPage>>;
  create(group: CreateGroup, options?: ChangeOptions): Promise<Changed<Group>>;
  read(group: string): Promise<Group>;
  delete(group: string, options?: ChangeOptions): Promise<Changed<void>>;
  members(group: string): ListRoute<Partial<PageQuery>, z.output<typeof AgentPage>>;
  addMember(group: string, agent: string, options?: ChangeOptions): Promise<Changed<void>>;
  removeMember(group: string, agent: string, options?: ChangeOptions): Promise<Changed<void>>;
}

export function groupsApi(send: Send): GroupsApi {
  return {
    list: listRoute(send, '/v1/groups', GroupPage),
    create: (body, query) => send({ method: 'POST', path: '/v1/groups', query, body, answer: Group }),
    read: async (group) => (await send({ method: 'GET', path: path`/v1/groups/${group}`, answer: Group })).value,
    delete: (group, query) => send({ method: 'DELETE', path: path`/v1/groups/${group}`, query, answer: z.void() }),
    members: (group) => listRoute(send, path`/v1/groups/${group}/members`, AgentPage),
    addMember: (group, agent, query) => send({ method: 'PUT', path: path`/v1/groups/${group}/members/${agent}`, query, answer: z.void() }),
    removeMember: (group, agent, query) => send({ method: 'DELETE', path: path`/v1/groups/${group}/members/${agent}`, query, answer: z.void() }),
  };
}
