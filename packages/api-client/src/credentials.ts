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
import { path } from './path.js';
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
  const at = (id: string): string => path`/v1/credentials/${id}`;
  const tlsOf = (server: string): string => path`/v1/servers/${server}/tls`;
  return {
    list: listRoute(send, '/v1/credentials', CredentialPage),
    create: (body, query) => send({ method: 'POST', path: '/v1/credentials', query, body, answer: Credential }),
    read: async (id) => (await send({ method: 'GET', path: at(id), answer: Credential })).value,
    replace: (id, body, query) => send({ method: 'PUT', path: at(id), query, body, answer: Credential }),
    delete: (id, query) => send({ method: 'DELETE', path: at(id), query, answer: z.void() }),
    connect: async (id, body) => (await send({ method: 'POST', path: `${at(id)}/connect`, body, answer: CredentialConnection })).value,
    finish: async (id, body) => (await send({ method: 'POST', path: `${at(id)}/connection`, body, answer: Credential })).value,
    readTls: async (server) => (await send({ method: 'GET', path: tlsOf(server), answer: ServerTls })).value,
    replaceTls: (server, body, query) => send({ method: 'PUT', path: tlsOf(server), query, body, answer: ServerTls }),
    deleteTls: (server, query) => send({ method: 'DELETE', path: tlsOf(server), query, answer: z.void() }),
  };
}
