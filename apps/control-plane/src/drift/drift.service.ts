import { Inject, Injectable } from '@nestjs/common';
import { Timestamp } from '@portcullis/contracts/api/conventions';
import type { DefinitionDiff, DefinitionMark, DriftChangeDetail, DriftPage, ListDriftQuery } from '@portcullis/contracts/api/drift';
import { PrismaClient, type Definition } from '@portcullis/database';
import { differsInDescriptionsOnly, mentionedNames, textsIn, type JsonObject } from '@portcullis/mcp';
import { z } from 'zod';
import { decodeCursor, pageFrom } from '../http/paging.js';
import { notFound, ProblemError } from '../http/problem.js';
import { DefinitionsService } from '../servers/definitions.service.js';
import { countDrift, findDrift, findLookAlikes, findMentioned, listDrift } from './drift.repository.js';
import { fieldsOf, marksOf, parseDefinition, toDriftChange, toDriftDetail } from './to-drift-change.js';

const DriftCursor = z.tuple([Timestamp, z.uuid()]);
const WEEK_MS = 7 * 86_400_000;
const SERVERS_MAX = 100;

/** What servers changed. */
@Injectable()
export class DriftService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(DefinitionsService) private readonly definitions: DefinitionsService,
  ) {}

  async list({ from, to, cursor, limit, ...filter }: ListDriftQuery): Promise<DriftPage> {
    const since = from === undefined ? new Date(Date.now() - WEEK_MS) : new Date(from);
    const until = to === undefined ? undefined : new Date(to);
    if (until !== undefined && until <= since) throw new ProblemError('validation', undefined, [{ pointer: '/to', detail: 'must be after from' }]);
    const [at, id] = decodeCursor(cursor, DriftCursor) ?? [];
    const asked = { ...filter, since, until };
    const after = at === undefined || id === undefined ? undefined : { at: new Date(at), id };
    const [rows, counts] = await Promise.all([listDrift(this.database, asked, after, limit), countDrift(this.database, asked)]);
    const page = pageFrom(rows, limit, toDriftChange, (row) => [row.at.toISOString(), row.id]);
    const total = counts.reduce((sum, { changes }) => sum + changes, 0);
    return { ...page, total, servers: counts.slice(0, SERVERS_MAX) };
  }

  async read(id: string): Promise<DriftChangeDetail> {
    const row = await findDrift(this.database, id);
    if (row === null) throw notFound('change');
    return toDriftDetail(row);
  }

  /** What an operator would approve, against what was approved, with what in it deserves a second look. */
  async diff(server: string, id: string): Promise<DefinitionDiff> {
    const { row, definition } = await this.definitions.find(server, id);
    const { id: _, ref, kind, name, state, hash, approvedHash, served } = definition;
    const before = row.approvedJson === null ? null : parseDefinition(row.approvedJson);
    const after = row.state === 'removed' ? null : parseDefinition(row.json);
    const marks = after === null ? [] : [...marksOf(before, after), ...(await this.otherMarks(row, after))];
    return {
      definition: { id, ref, kind, name, state, hash, approvedHash, served },
      before,
      after,
      fields: fieldsOf(before, after),
      descriptionsOnly: before !== null && after !== null && differsInDescriptionsOnly(before, after),
      marks,
    };
  }

  /** Marks that only the other servers' tools can give. */
  private async otherMarks(row: Definition, after: JsonObject): Promise<DefinitionMark[]> {
    const alike = row.kind === 'tool' ? await findLookAlikes(this.database, row) : [];
    const texts = textsIn(after).map((found) => ({ ...found, mentioned: mentionedNames(found.text) }));
    const mentions = new Map(texts.flatMap(({ mentioned }) => mentioned.map((one) => [`${one.server ?? ''}:${one.name}`, one] as const)));
    const others = mentions.size === 0 ? [] : await findMentioned(this.database, [...mentions.values()], row.serverId);
    const named = texts.flatMap(({ pointer, mentioned }) => {
      const found = others.filter((tool) => mentioned.some(({ server, name }) => name === tool.name && (server ?? tool.server) === tool.server));
      return found.slice(0, 1).map((tool): DefinitionMark => ({ code: 'names_other_tool', pointer, detail: `names ${tool.server}:${tool.name}` }));
    });
    const looks = alike.map((tool): DefinitionMark => ({
      code: 'name_look_alike',
      pointer: '/name',
      detail: `looks like ${tool.server}:${tool.name}`,
    }));
    return [...looks, ...named.slice(0, 20)];
  }
}
