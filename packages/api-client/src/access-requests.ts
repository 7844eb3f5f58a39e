import {
  AccessRequest,
  AccessRequestPage,
  AccessRequestThread,
  type ApproveAccessRequest,
  type CreateAccessRequest,
  type CreateRequestable,
  type DenyAccessRequest,
  type ListAccessRequestsQuery,
  Requestable,
  RequestablePage,
  type UpdateRequestable,
} from '@portcullis/contracts/api/access-requests';
import type { PageQuery } from '@portcullis/contracts/api/conventions';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import { path } from './path.js';
import type { Changed, ChangeOptions, Send } from './send.js';

/** What was asked for, newest first, and what became of it. */
export interface AccessRequestsApi {
  list: ListRoute<Partial<ListAccessRequestsQuery>, z.output<typeof AccessRequestPage>>;
  file(request: z.input<typeof CreateAccessRequest>): Promise<AccessRequest>;
  read(id: string): Promise<AccessRequest>;
  /** From the asking to the last use, out of the audit trail. */
  thread(id: string): Promise<AccessRequestThread>;
  approve(id: string, decision: ApproveAccessRequest, options?: ChangeOptions): Promise<Changed<AccessRequest>>;
  deny(id: string, decision: DenyAccessRequest): Promise<AccessRequest>;
  withdraw(id: string): Promise<AccessRequest>;
}

export function accessRequestsApi(send: Send): AccessRequestsApi {
  const at = (id: string, verb: string): string => path`/v1/access-requests/${id}/${verb}`;
  return {
    list: listRoute(send, '/v1/access-requests', AccessRequestPage),
    file: async (body) => (await send({ method: 'POST', path: '/v1/access-requests', body, answer: AccessRequest })).value,
    read: async (id) => (await send({ method: 'GET', path: path`/v1/access-requests/${id}`, answer: AccessRequest })).value,
    thread: async (id) => (await send({ method: 'GET', path: at(id, 'thread'), answer: AccessRequestThread })).value,
    approve: (id, body, query) => send({ method: 'POST', path: at(id, 'approve'), query, body, answer: AccessRequest }),
    deny: async (id, body) => (await send({ method: 'POST', path: at(id, 'deny'), body, answer: AccessRequest })).value,
    withdraw: async (id) => (await send({ method: 'POST', path: at(id, 'withdraw'), answer: AccessRequest })).value,
  };
}

/** What agents may ask for. */
export interface RequestableApi {
  list: ListRoute<Partial<PageQuery>, z.output<typeof RequestablePage>>;
  create(rule: z.input<typeof CreateRequestable>, options?: ChangeOptions): Promise<Changed<Requestable>>;
  read(id: string): Promise<Requestable>;
  update(id: string, change: UpdateRequestable, options?: ChangeOptions): Promise<Changed<Requestable>>;
  delete(id: string, options?: ChangeOptions): Promise<Changed<void>>;
}

export function requestableApi(send: Send): RequestableApi {
  return {
    list: listRoute(send, '/v1/requestable', RequestablePage),
    create: (body, query) => send({ method: 'POST', path: '/v1/requestable', query, body, answer: Requestable }),
    read: async (id) => (await send({ method: 'GET', path: path`/v1/requestable/${id}`, answer: Requestable })).value,
    update: (id, body, query) => send({ method: 'PATCH', path: path`/v1/requestable/${id}`, query, body, answer: Requestable }),
    delete: (id, query) => send({ method: 'DELETE', path: path`/v1/requestable/${id}`, query, answer: z.void() }),
  };
}
