import {
  AccessRequest,
  AccessRequestPage,
  AccessRequestThread,
  type ApproveAccessRequest,
  type CreateAccessRequest,
  type CreateRequestable,
  type DenyAccessRequest,
  type ListAccessRequestsQuery,
  type ListRequestableQuery,
  Requestable,
  RequestablePage,
  type UpdateRequestable,
} from '@portcullis/contracts/api/access-requests';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
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
  return {
    list: listRoute(send, 'GET /v1/access-requests', AccessRequestPage),
    file: async (body) => (await send({ route: 'POST /v1/access-requests', body, answer: AccessRequest })).value,
    read: async (id) => (await send({ route: 'GET /v1/access-requests/{id}', at: [id], answer: AccessRequest })).value,
    thread: async (id) => (await send({ route: 'GET /v1/access-requests/{id}/thread', at: [id], answer: AccessRequestThread })).value,
    approve: (id, body, query) => send({ route: 'POST /v1/access-requests/{id}/approve', at: [id], query, body, answer: AccessRequest }),
    deny: async (id, body) => (await send({ route: 'POST /v1/access-requests/{id}/deny', at: [id], body, answer: AccessRequest })).value,
    withdraw: async (id) => (await send({ route: 'POST /v1/access-requests/{id}/withdraw', at: [id], answer: AccessRequest })).value,
  };
}

/** What agents may ask for. */
export interface RequestableApi {
  list: ListRoute<Partial<ListRequestableQuery>, z.output<typeof RequestablePage>>;
  create(rule: z.input<typeof CreateRequestable>, options?: ChangeOptions): Promise<Changed<Requestable>>;
  read(id: string): Promise<Requestable>;
  update(id: string, change: UpdateRequestable, options?: ChangeOptions): Promise<Changed<Requestable>>;
  delete(id: string, options?: ChangeOptions): Promise<Changed<void>>;
}

export function requestableApi(send: Send): RequestableApi {
  return {
    list: listRoute(send, 'GET /v1/requestable', RequestablePage),
    create: (body, query) => send({ route: 'POST /v1/requestable', query, body, answer: Requestable }),
    read: async (id) => (await send({ route: 'GET /v1/requestable/{id}', at: [id], answer: Requestable })).value,
    update: (id, body, query) => send({ route: 'PATCH /v1/requestable/{id}', at: [id], query, body, answer: Requestable }),
    delete: (id, query) => send({ route: 'DELETE /v1/requestable/{id}', at: [id], query, answer: z.void() }),
  };
}
