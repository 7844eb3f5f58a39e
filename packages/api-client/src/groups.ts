import { AgentPage, type CreateGroup, Group, GroupPage } from '@portcullis/contracts/api/agents';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
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
    list: listRoute(send, 'GET /v1/groups', GroupPage),
    create: (body, query) => send({ route: 'POST /v1/groups', query, body, answer: Group }),
    read: async (group) => (await send({ route: 'GET /v1/groups/{group}', at: [group], answer: Group })).value,
    delete: (group, query) => send({ route: 'DELETE /v1/groups/{group}', at: [group], query, answer: z.void() }),
    members: (group) => listRoute(send, 'GET /v1/groups/{group}/members', AgentPage, [group]),
    addMember: (group, agent, query) => send({ route: 'PUT /v1/groups/{group}/members/{agent}', at: [group, agent], query, answer: z.void() }),
    removeMember: (group, agent, query) => send({ route: 'DELETE /v1/groups/{group}/members/{agent}', at: [group, agent], query, answer: z.void() }),
  };
}
