import { type DecideSelection, DriftChangeDetail, DriftPage, type ListDriftQuery, SelectionDecision } from '@portcullis/contracts/api/drift';
import type { z } from 'zod';
import { type ListRoute, listRoute } from './list-route.js';
import type { Changed, ChangeOptions, Send } from './send.js';

/** What servers changed, newest first. */
export interface DriftApi {
  list: ListRoute<Partial<ListDriftQuery>, z.output<typeof DriftPage>>;
  read(id: string): Promise<DriftChangeDetail>;
}

export function driftApi(send: Send): DriftApi {
  return {
    list: listRoute(send, 'GET /v1/drift', DriftPage),
    read: async (id) => (await send({ route: 'GET /v1/drift/{id}', at: [id], answer: DriftChangeDetail })).value,
  };
}

/** Decisions on definitions of any servers. A dry run tells what is selected, with the hash that the decision then has to give. */
export interface DefinitionsApi {
  approve(selection: z.input<typeof DecideSelection>, options?: ChangeOptions): Promise<Changed<SelectionDecision>>;
  reject(selection: z.input<typeof DecideSelection>, options?: ChangeOptions): Promise<Changed<SelectionDecision>>;
}

export function definitionsApi(send: Send): DefinitionsApi {
  return {
    approve: (body, query) => send({ route: 'POST /v1/definitions/approve', query, body, answer: SelectionDecision }),
    reject: (body, query) => send({ route: 'POST /v1/definitions/reject', query, body, answer: SelectionDecision }),
  };
}
