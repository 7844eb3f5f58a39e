import type { PageQuery } from '@portcullis/contracts/api/conventions';
import {
  type CreateImportQuery,
  Import,
  ImportPage,
  ImportRowPage,
  type ListImportRowsQuery,
  type PullRegistry,
} from '@portcullis/contracts/api/imports';
import { SearchPage, type SearchRequest } from '@portcullis/contracts/api/search';
import type { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import type { Send } from './send.js';

/** What is sent to be registered: the media type tells how it is written. */
export interface ImportBody {
  readonly contentType: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Bulk registration of servers. */
export interface ImportsApi {
  list: ListRoute<Partial<PageQuery>, z.output<typeof ImportPage>>;
  /** Sends rows as they come, and gives what became of them when the last is in. */
  create(body: ImportBody, query?: Partial<CreateImportQuery>): Promise<Import>;
  /** Has the control plane fetch a registry's list; gives the import as it begins. */
  pull(registry: z.input<typeof PullRegistry>): Promise<Import>;
  read(id: string): Promise<Import>;
  rows(id: string): ListRoute<Partial<ListImportRowsQuery>, z.output<typeof ImportRowPage>>;
  cancel(id: string): Promise<Import>;
}

export function importsApi(send: Send): ImportsApi {
  return {
    list: listRoute(send, 'GET /v1/imports', ImportPage),
    create: async (stream, query) => (await send({ route: 'POST /v1/imports', query, stream, answer: Import })).value,
    pull: async (body) => (await send({ route: 'POST /v1/imports/registry', body, answer: Import })).value,
    read: async (id) => (await send({ route: 'GET /v1/imports/{id}', at: [id], answer: Import })).value,
    rows: (id) => listRoute(send, 'GET /v1/imports/{id}/rows', ImportRowPage, [id]),
    cancel: async (id) => (await send({ route: 'POST /v1/imports/{id}/cancel', at: [id], answer: Import })).value,
  };
}

/** Servers and what they offer, by words, best match first. */
export type SearchApi = ListRoute<Partial<SearchRequest> & Pick<SearchRequest, 'q'>, z.output<typeof SearchPage>>;

export const searchApi = (send: Send): SearchApi => listRoute(send, 'GET /v1/search', SearchPage);
