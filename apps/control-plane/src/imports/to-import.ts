import { Import, type ImportRow } from '@portcullis/contracts/api/imports';
import type { Import as ImportRecord, ImportRow as RowRecord } from '@portcullis/database';

/** An import as operators see it. */
export function toImport({ aliveAt: _aliveAt, source, updatedSince, createdAt, finishedAt, ...row }: ImportRecord): Import {
  return {
    ...row,
    source: Import.shape.source.parse(source),
    updatedSince: updatedSince?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
  };
}

export function toImportRow({ importId: _importId, sourceKey, ...row }: RowRecord): ImportRow {
  return { ...row, sourceId: sourceKey };
}
