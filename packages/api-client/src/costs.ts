import { Budget, BudgetPage, type CreateBudget, type UpdateBudget } from '@portcullis/contracts/api/budgets';
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
import type { Changed, ChangeOptions, MatchOptions, Send } from './send.js';

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
  const csv = (query?: object) => send({ route: 'GET /v1/costs', query: { ...query, format: 'csv' }, answer: z.string(), takes: 'text/csv' });
  return {
    read: async (query) => (await send({ route: 'GET /v1/costs', query, answer: Costs })).value,
    csv: async (query) => (await csv(query)).value,
    calls: listRoute(send, 'GET /v1/costs/calls', CostedCallPage),
  };
}

/** What is charged for calls. */
export interface PricesApi {
  list: ListRoute<Partial<PageQuery>, z.output<typeof PricePage>>;
  create(price: z.input<typeof CreatePrice>, options?: ChangeOptions): Promise<Changed<Price>>;
  read(id: string): Promise<Price>;
  delete(id: string, options?: ChangeOptions): Promise<Changed<void>>;
}

export function pricesApi(send: Send): PricesApi {
  return {
    list: listRoute(send, 'GET /v1/prices', PricePage),
    create: (body, query) => send({ route: 'POST /v1/prices', query, body, answer: Price }),
    read: async (id) => (await send({ route: 'GET /v1/prices/{id}', at: [id], answer: Price })).value,
    delete: (id, query) => send({ route: 'DELETE /v1/prices/{id}', at: [id], query, answer: z.void() }),
  };
}

/** What may be spent in a month, and what was. */
export interface BudgetsApi {
  list: ListRoute<Partial<PageQuery>, z.output<typeof BudgetPage>>;
  create(budget: z.input<typeof CreateBudget>): Promise<Budget>;
  read(id: string): Promise<Budget>;
  update(id: string, change: UpdateBudget, options?: MatchOptions): Promise<Budget>;
  delete(id: string, options?: MatchOptions): Promise<void>;
}

export function budgetsApi(send: Send): BudgetsApi {
  return {
    list: listRoute(send, 'GET /v1/budgets', BudgetPage),
    create: async (body) => (await send({ route: 'POST /v1/budgets', body, answer: Budget })).value,
    read: async (id) => (await send({ route: 'GET /v1/budgets/{id}', at: [id], answer: Budget })).value,
    update: async (id, body, query) => (await send({ route: 'PATCH /v1/budgets/{id}', at: [id], query, body, answer: Budget })).value,
    delete: async (id, query) => (await send({ route: 'DELETE /v1/budgets/{id}', at: [id], query, answer: z.void() })).value,
  };
}
