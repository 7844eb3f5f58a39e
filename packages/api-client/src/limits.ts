import { type CreateLimit, Limit, LimitPage, type ListLimitsQuery, type UpdateLimit } from '@portcullis/contracts/api/limits';
import { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import type { Changed, ChangeOptions, Send } from './send.js';

/** How often agents, groups, servers and tools may be called. */
export interface LimitsApi {
  list: ListRoute<Partial<ListLimitsQuery>, z.output<typeof LimitPage>>;
  create(limit: z.input<typeof CreateLimit>, options?: ChangeOptions): Promise<Changed<Limit>>;
  read(id: string): Promise<Limit>;
  update(id: string, change: UpdateLimit, options?: ChangeOptions): Promise<Changed<Limit>>;
  delete(id: string, options?: ChangeOptions): Promise<Changed<void>>;
}

export function limitsApi(send: Send): LimitsApi {
  return {
    list: listRoute(send, 'GET /v1/limits', LimitPage),
    create: (body, query) => send({ route: 'POST /v1/limits', query, body, answer: Limit }),
    read: async (id) => (await send({ route: 'GET /v1/limits/{id}', at: [id], answer: Limit })).value,
    update: (id, body, query) => send({ route: 'PATCH /v1/limits/{id}', at: [id], query, body, answer: Limit }),
    delete: (id, query) => send({ route: 'DELETE /v1/limits/{id}', at: [id], query, answer: z.void() }),
  };
}
