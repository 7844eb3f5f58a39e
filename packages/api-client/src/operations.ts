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
import { path } from './path.js';
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
    list: listRoute(send, '/v1/nodes', NodePage),
    delete: async (id) => (await send({ method: 'DELETE', path: path`/v1/nodes/${id}`, answer: z.void() })).value,
    createJoinToken: async (body = {}) => (await send({ method: 'POST', path: '/v1/nodes/join-tokens', body, answer: JoinToken })).value,
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
    list: listRoute(send, '/v1/operators', OperatorPage),
    create: async (body) => (await send({ method: 'POST', path: '/v1/operators', body, answer: Operator })).value,
    read: async (id) => (await send({ method: 'GET', path: path`/v1/operators/${id}`, answer: Operator })).value,
    update: async (id, body, query) => (await send({ method: 'PATCH', path: path`/v1/operators/${id}`, query, body, answer: Operator })).value,
    delete: async (id, query) => (await send({ method: 'DELETE', path: path`/v1/operators/${id}`, query, answer: z.void() })).value,
    tokens: (id) => listRoute(send, path`/v1/operators/${id}/tokens`, OperatorTokenPage),
    createToken: async (id, body = {}) =>
      (await send({ method: 'POST', path: path`/v1/operators/${id}/tokens`, body, answer: CreatedOperatorToken })).value,
    revokeToken: async (id, tokenId) => (await send({ method: 'DELETE', path: path`/v1/operators/${id}/tokens/${tokenId}`, answer: z.void() })).value,
  };
}
