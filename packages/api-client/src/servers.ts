import {
  type CreateServer,
  type DecideDefinitions,
  DecideDefinitionsResult,
  DefinitionPage,
  DiscoveryReport,
  type ListDefinitionsQuery,
  type ListServersQuery,
  Server,
  ServerPage,
  type UpdateServer,
} from '@portcullis/contracts/api/servers';
import { DefinitionDiff, type ResumeServer } from '@portcullis/contracts/api/drift';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import type { Changed, ChangeOptions, Send } from './send.js';

type NewServer = z.input<typeof CreateServer>;
type Decision = z.input<typeof DecideDefinitions>;

/** Servers, by id or slug, and what they offer. */
export interface ServersApi {
  list: ListRoute<Partial<ListServersQuery>, z.output<typeof ServerPage>>;
  create(server: NewServer, options?: ChangeOptions): Promise<Changed<Server>>;
  read(server: string): Promise<Server>;
  update(server: string, change: UpdateServer, options?: ChangeOptions): Promise<Changed<Server>>;
  delete(server: string, options?: ChangeOptions): Promise<Changed<void>>;
  /** Asks the server now what it offers; gives up waiting, not discovering, after `waitSeconds`. */
  discover(server: string, query?: { waitSeconds?: number }): Promise<DiscoveryReport>;
  definitions(server: string): ListRoute<Partial<ListDefinitionsQuery>, z.output<typeof DefinitionPage>>;
  /** What is offered against what was approved, and what in it deserves a second look. */
  diff(server: string, definition: string): Promise<DefinitionDiff>;
  /** Ends a suspension. */
  resume(server: string, why: ResumeServer, options?: ChangeOptions): Promise<Changed<Server>>;
  approve(server: string, decision: Decision, options?: ChangeOptions): Promise<Changed<DecideDefinitionsResult>>;
  reject(server: string, decision: Decision, options?: ChangeOptions): Promise<Changed<DecideDefinitionsResult>>;
}

export function serversApi(send: Send): ServersApi {
  const decide = (verb: 'approve' | 'reject') => (server: string, body: Decision, query?: ChangeOptions) =>
    send({ route: `POST /v1/servers/{server}/definitions/${verb}` as const, at: [server], query, body, answer: DecideDefinitionsResult });
  return {
    list: listRoute(send, 'GET /v1/servers', ServerPage),
    create: (body, query) => send({ route: 'POST /v1/servers', query, body, answer: Server }),
    read: async (server) => (await send({ route: 'GET /v1/servers/{server}', at: [server], answer: Server })).value,
    update: (server, body, query) => send({ route: 'PATCH /v1/servers/{server}', at: [server], query, body, answer: Server }),
    delete: (server, query) => send({ route: 'DELETE /v1/servers/{server}', at: [server], query, answer: z.void() }),
    discover: async (server, query) =>
      (await send({ route: 'POST /v1/servers/{server}/discovery', at: [server], query, answer: DiscoveryReport })).value,
    definitions: (server) => listRoute(send, 'GET /v1/servers/{server}/definitions', DefinitionPage, [server]),
    diff: async (server, id) =>
      (await send({ route: 'GET /v1/servers/{server}/definitions/{id}/diff', at: [server, id], answer: DefinitionDiff })).value,
    resume: (server, body, query) => send({ route: 'POST /v1/servers/{server}/resume', at: [server], query, body, answer: Server }),
    approve: decide('approve'),
    reject: decide('reject'),
  };
}
