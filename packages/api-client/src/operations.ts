import type { PageQuery } from '@portcullis/contracts/api/conventions';
import {
  type CreateJoinToken,
  type CreateOperator,
  CreatedOperatorToken,
  type CreateOperatorToken,
  JoinToken,
  NodePage,
  Operator,
  OperatorPage,
  OperatorTokenPage,
  type UpdateOperator,
} from '@portcullis/contracts/api/operations';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import type { MatchOptions, Send } from './send.js';

/** Gateway nodes and what lets them in. */
export interface NodesApi {
  list: ListRoute<Partial<PageQuery>, z.output<typeof NodePage>>;
  /** The node's key opens nothing any more. */
  delete(id: string): Promise<void>;
  /** The only answer that ever holds the token. */
  createJoinToken(token?: z.input<typeof CreateJoinToken>): Promise<JoinToken>;
}

export function nodesApi(send: Send): NodesApi {
  return {
    list: listRoute(send, 'GET /v1/nodes', NodePage),
    delete: async (id) => (await send({ route: 'DELETE /v1/nodes/{id}', at: [id], answer: z.void() })).value,
    createJoinToken: async (body = {}) => (await send({ route: 'POST /v1/nodes/join-tokens', body, answer: JoinToken })).value,
  };
}

/** People who use this API, and their tokens. */
export interface OperatorsApi {
  list: ListRoute<Partial<PageQuery>, z.output<typeof OperatorPage>>;
  create(operator: z.input<typeof CreateOperator>): Promise<Operator>;
  read(id: string): Promise<Operator>;
  update(id: string, change: UpdateOperator, options?: MatchOptions): Promise<Operator>;
  delete(id: string, options?: MatchOptions): Promise<void>;
  tokens(id: string): ListRoute<Partial<PageQuery>, z.output<typeof OperatorTokenPage>>;
  /** The only answer that ever holds the token. */
  createToken(id: string, token?: z.input<typeof CreateOperatorToken>): Promise<CreatedOperatorToken>;
  revokeToken(id: string, tokenId: string): Promise<void>;
}

export function operatorsApi(send: Send): OperatorsApi {
  return {
    list: listRoute(send, 'GET /v1/operators', OperatorPage),
    create: async (body) => (await send({ route: 'POST /v1/operators', body, answer: Operator })).value,
    read: async (id) => (await send({ route: 'GET /v1/operators/{operator}', at: [id], answer: Operator })).value,
    update: async (id, body, query) => (await send({ route: 'PATCH /v1/operators/{operator}', at: [id], query, body, answer: Operator })).value,
    delete: async (id, query) => (await send({ route: 'DELETE /v1/operators/{operator}', at: [id], query, answer: z.void() })).value,
    tokens: (id) => listRoute(send, 'GET /v1/operators/{operator}/tokens', OperatorTokenPage, [id]),
    createToken: async (id, body = {}) =>
      (await send({ route: 'POST /v1/operators/{operator}/tokens', at: [id], body, answer: CreatedOperatorToken })).value,
    revokeToken: async (id, tokenId) =>
      (await send({ route: 'DELETE /v1/operators/{operator}/tokens/{token}', at: [id, tokenId], answer: z.void() })).value,
  };
}
