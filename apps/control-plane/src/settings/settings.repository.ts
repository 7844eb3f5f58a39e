import type { Transaction } from '@portcullis/database';
import { Settings } from '@portcullis/contracts/api/policy';
import { USUAL_CAPTURE } from '@portcullis/contracts/capture';
import { z } from 'zod';

/** Settings as an earlier release wrote them say nothing of what came later. */
const StoredSettings = z.object({
  ...Settings.shape,
  publicUrl: Settings.shape.publicUrl.default(null),
  tokenIssuers: Settings.shape.tokenIssuers.default([]),
  auditCapture: Settings.shape.auditCapture.default(USUAL_CAPTURE),
});

export const parseSettings = (stored: unknown): Settings => StoredSettings.parse(stored);

export async function readSettings(db: Transaction): Promise<Settings> {
  const { settings } = await db.policyState.findUniqueOrThrow({ where: { id: 1 }, select: { settings: true } });
  return parseSettings(settings);
}

export async function writeSettings(db: Transaction, settings: Settings): Promise<void> {
  await db.policyState.update({ where: { id: 1 }, data: { settings } });
}
