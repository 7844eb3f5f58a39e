import type { PageQuery } from '@portcullis/contracts/api/conventions';
import {
  CostedCallPage,
  Costs,
  type CostsQuery,
  type CreatePrice,
  type ListCostedCallsQuery,
  Price,
  PricePage,
} from '@portcullis/contracts/api/costs';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import { path } from './path.js';
import type { Send } from './send.js';

/** What calls cost, and whom. */
export interface CostsApi {
  /** Exact sums. */
  read(query?: Partial<Omit<CostsQuery, 'format'>>): Promise<Costs>;
  /** The same as CSV. */
  csv(query?: Partial<Omit<CostsQuery, 'format'>>): Promise<string>;
  /** The calls behind the sums, newest first. */
  calls: ListRoute<Partial<ListCostedCallsQuery>, z.output<typeof CostedCallPage>>;
}

export function costsApi(send: Send): CostsApi {
  const csv = (query?: object) =>
    send({ method: 'GET', path: '/v1/costs', query: { ...query, format: 'csv' }, answer: z.string(), takes: 'text/csv' });
  return {
    read: async (query) => (await send({ method: 'GET', path: '/v1/costs', query, answer: Costs })).value,
    csv: async (query) => (await csv(query)).value,
    calls: listRoute(send, '/v1/costs/calls', CostedCallPage),
  };
}

/** What is charged for calls. */
export interface PricesApi {
  list: ListRoute<Partial<PageQuery>, z.output<typeof PricePage>>;
  create(price: z.input<typeof CreatePrice>): Promise<Price>;
  read(id: string): Promise<Price>;
  delete(id: string): Promise<void>;
}

export function pricesApi(send: Send): PricesApi {
  return {
    list: listRoute(send, '/v1/prices', PricePage),
    create: async (body) => (await send({ method: 'POST', path: '/v1/prices', body, answer: Price })).value,
    read: async (id) => (await send({ method: 'GET', path: path`/v1/prices/${id}`, answer: Price })).value,
    delete: async (id) => (await send({ method: 'DELETE', path: path`/v1/prices/${id}`, answer: z.void() })).value,
  };
}
