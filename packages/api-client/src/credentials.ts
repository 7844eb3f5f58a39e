import {
  type BeginConnection,
  CredentialConnection,
  type FinishConnection,
  type CreateCredential,
  Credential,
  CredentialPage,
  type ListCredentialsQuery,
  type ReplaceCredential,
} from '@portcullis/contracts/api/credentials';
import { type ReplaceServerTls, ServerTls } from '@portcullis/contracts/api/server-tls';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import type { Changed, ChangeOptions, Send } from './send.js';

/** What servers are called with. Secrets go in and never come out. */
export interface CredentialsApi {
  list: ListRoute<Partial<ListCredentialsQuery>, z.output<typeof CredentialPage>>;
  create(credential: z.input<typeof CreateCredential>, options?: ChangeOptions): Promise<Changed<Credential>>;
  read(id: string): Promise<Credential>;
  /** All of it anew; a connection has to be made anew as well. */
  replace(id: string, credential: z.input<typeof ReplaceCredential>, options?: ChangeOptions): Promise<Changed<Credential>>;
  delete(id: string, options?: ChangeOptions): Promise<Changed<void>>;
  /** Where the operator's browser is to go. */
  connect(id: string, where: BeginConnection): Promise<CredentialConnection>;
  /** With what it came back with, once. */
  finish(id: string, answer: FinishConnection): Promise<Credential>;
  /** With which certificates a server is reached. */
  readTls(server: string): Promise<ServerTls>;
  replaceTls(server: string, tls: z.input<typeof ReplaceServerTls>, options?: ChangeOptions): Promise<Changed<ServerTls>>;
  deleteTls(server: string, options?: ChangeOptions): Promise<Changed<void>>;
}

export function credentialsApi(send: Send): CredentialsApi {
  return {
    list: listRoute(send, 'GET /v1/credentials', CredentialPage),
    create: (body, query) => send({ route: 'POST /v1/credentials', query, body, answer: Credential }),
    read: async (id) => (await send({ route: 'GET /v1/credentials/{id}', at: [id], answer: Credential })).value,
    replace: (id, body, query) => send({ route: 'PUT /v1/credentials/{id}', at: [id], query, body, answer: Credential }),
    delete: (id, query) => send({ route: 'DELETE /v1/credentials/{id}', at: [id], query, answer: z.void() }),
    connect: async (id, body) => (await send({ route: 'POST /v1/credentials/{id}/connect', at: [id], body, answer: CredentialConnection })).value,
    finish: async (id, body) => (await send({ route: 'POST /v1/credentials/{id}/connection', at: [id], body, answer: Credential })).value,
    readTls: async (server) => (await send({ route: 'GET /v1/servers/{server}/tls', at: [server], answer: ServerTls })).value,
    replaceTls: (server, body, query) => send({ route: 'PUT /v1/servers/{server}/tls', at: [server], query, body, answer: ServerTls }),
    deleteTls: (server, query) => send({ route: 'DELETE /v1/servers/{server}/tls', at: [server], query, answer: z.void() }),
  };
}
