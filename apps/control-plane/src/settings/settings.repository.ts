import type { Transaction } from '@portcullis/database';
import { Settings } from '@portcullis/contracts/api/policy';

export async function readSettings(db: Transaction): Promise<Settings> {
  const { settings } = await db.policyState.findUniqueOrThrow({ where: { id: 1 }, select: { settings: true } });
  return Settings.parse(settings);
}

export async function writeSettings(db: Transaction, settings: Settings): Promise<void> {
  await db.policyState.update({ where: { id: 1 }, data: { settings } });
}
