import {
  AccessPage,
  type AccessQuery,
  Agent,
  AgentIdentity,
  AgentIdentityPage,
  AgentKeyPage,
  AgentPage,
  type CreateAgent,
  type CreateAgentIdentity,
  type CreateAgentKey,
  CreatedAgentKey,
  type ListAgentsQuery,
  type RotateAgentKey,
  RotatedAgentKey,
  type UpdateAgent,
} from '@portcullis/contracts/api/agents';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { CreatedTaskKey, type CreateTaskKey } from '@portcullis/contracts/task-keys';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import type { Changed, ChangeOptions, Send } from './send.js';

/** Agents, by id or slug, their keys and what they can reach. */
export interface AgentsApi {
  list: ListRoute<Partial<ListAgentsQuery>, z.output<typeof AgentPage>>;
  create(agent: z.input<typeof CreateAgent>, options?: ChangeOptions): Promise<Changed<Agent>>;
  read(agent: string): Promise<Agent>;
  update(agent: string, change: UpdateAgent, options?: ChangeOptions): Promise<Changed<Agent>>;
  delete(agent: string, options?: ChangeOptions): Promise<Changed<void>>;
  keys(agent: string): ListRoute<Partial<PageQuery>, z.output<typeof AgentKeyPage>>;
  /** The only answer that ever holds the key. */
  createKey(agent: string, key?: z.input<typeof CreateAgentKey>, options?: ChangeOptions): Promise<Changed<CreatedAgentKey>>;
  /** Another key in the place of this one, which goes on for the overlap. The only answer that ever holds it. */
  rotateKey(agent: string, keyId: string, rotation?: z.input<typeof RotateAgentKey>, options?: ChangeOptions): Promise<Changed<RotatedAgentKey>>;
  revokeKey(agent: string, keyId: string, options?: ChangeOptions): Promise<Changed<void>>;
  /** What issuers of access tokens call the agent. */
  identities(agent: string): ListRoute<Partial<PageQuery>, z.output<typeof AgentIdentityPage>>;
  createIdentity(agent: string, identity: CreateAgentIdentity, options?: ChangeOptions): Promise<Changed<AgentIdentity>>;
  deleteIdentity(agent: string, id: string, options?: ChangeOptions): Promise<Changed<void>>;
  /** A key for one task, until its time is over; the only answer that ever holds it. */
  createTaskKey(agent: string, key: z.input<typeof CreateTaskKey>): Promise<CreatedTaskKey>;
  /** What the agent can see and call now. */
  access(agent: string): ListRoute<Partial<AccessQuery>, AccessPage>;
}

export function agentsApi(send: Send): AgentsApi {
  return {
    list: listRoute(send, 'GET /v1/agents', AgentPage),
    create: (body, query) => send({ route: 'POST /v1/agents', query, body, answer: Agent }),
    read: async (agent) => (await send({ route: 'GET /v1/agents/{agent}', at: [agent], answer: Agent })).value,
    update: (agent, body, query) => send({ route: 'PATCH /v1/agents/{agent}', at: [agent], query, body, answer: Agent }),
    delete: (agent, query) => send({ route: 'DELETE /v1/agents/{agent}', at: [agent], query, answer: z.void() }),
    keys: (agent) => listRoute(send, 'GET /v1/agents/{agent}/keys', AgentKeyPage, [agent]),
    createKey: (agent, body = {}, query) => send({ route: 'POST /v1/agents/{agent}/keys', at: [agent], query, body, answer: CreatedAgentKey }),
    rotateKey: (agent, keyId, body = {}, query) =>
      send({ route: 'POST /v1/agents/{agent}/keys/{key}/rotate', at: [agent, keyId], query, body, answer: RotatedAgentKey }),
    revokeKey: (agent, keyId, query) => send({ route: 'DELETE /v1/agents/{agent}/keys/{key}', at: [agent, keyId], query, answer: z.void() }),
    identities: (agent) => listRoute(send, 'GET /v1/agents/{agent}/identities', AgentIdentityPage, [agent]),
    createIdentity: (agent, body, query) => send({ route: 'POST /v1/agents/{agent}/identities', at: [agent], query, body, answer: AgentIdentity }),
    deleteIdentity: (agent, id, query) =>
      send({ route: 'DELETE /v1/agents/{agent}/identities/{identity}', at: [agent, id], query, answer: z.void() }),
    createTaskKey: async (agent, body) =>
      (await send({ route: 'POST /v1/agents/{agent}/task-keys', at: [agent], body, answer: CreatedTaskKey })).value,
    access: (agent) => listRoute(send, 'GET /v1/agents/{agent}/access', AccessPage, [agent]),
  };
}
