import type { DefinitionMark, DriftChange, DriftChangeDetail, FieldChange } from '@portcullis/contracts/api/drift';
import { DriftDecision, DriftKind } from '@portcullis/contracts/api/drift';
import type { DefinitionChange } from '@portcullis/database';
import { definitionMarks, diffJson, isJsonObject, type JsonObject, parseJson } from '@portcullis/mcp';

const FIELDS_MAX = 200;

/** A change with what was there before and after. */
export function toDriftDetail(row: DefinitionChange): DriftChangeDetail {
  const before = row.beforeJson === null ? null : parseDefinition(row.beforeJson);
  const after = row.afterJson === null ? null : parseDefinition(row.afterJson);
  const { id, at, serverId, server, definitionId, kind, name, state, beforeHash, afterHash } = row;
  return {
    id,
    at: at.toISOString(),
    serverId,
    server,
    state,
    beforeHash,
    afterHash,
    change: DriftKind.parse(row.change),
    definition: definitionId === null || kind === null || name === null ? null : { id: definitionId, ref: `${server}:${name}`, kind, name },
    before,
    after,
    fields: fieldsOf(before, after),
    marks: after === null ? [] : marksOf(before, after),
    decision: decisionOf(row),
  };
}

/** The same in short. */
export function toDriftChange(row: DefinitionChange): DriftChange {
  const { before: _before, after: _after, fields, ...change } = toDriftDetail(row);
  return { ...change, fields: fields.map(({ pointer, change: kind }) => ({ pointer, change: kind })) };
}

/** What in a definition deserves a second look, as REST tells it. */
export const marksOf = (before: JsonObject | null, after: JsonObject): DefinitionMark[] =>
  definitionMarks(before ?? undefined, after).map(({ characters, ...mark }) => ({ ...mark, ...(characters && { characters: [...characters] }) }));

/** Where two definitions differ. `_meta` is no part of what is approved, so it is no part of a difference. */
export function fieldsOf(before: JsonObject | null, after: JsonObject | null): FieldChange[] {
  if (before === null || after === null) return [];
  return diffJson(withoutMeta(before), withoutMeta(after)).slice(0, FIELDS_MAX);
}

export function parseDefinition(bytes: Uint8Array): JsonObject {
  const value: unknown = parseJson(Buffer.from(bytes).toString('utf8'));
  return isJsonObject(value) ? value : {};
}

function withoutMeta(definition: JsonObject): JsonObject {
  const { _meta: _, ...rest } = definition;
  return rest;
}

function decisionOf({ decision, decidedAt, decidedBy, decisionReason }: DefinitionChange): DriftChange['decision'] {
  if (decision === null || decidedAt === null) return null;
  return { verdict: DriftDecision.parse(decision), at: decidedAt.toISOString(), by: decidedBy, reason: decisionReason };
}
