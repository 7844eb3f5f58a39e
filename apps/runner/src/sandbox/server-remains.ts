import { readdirSync, renameSync, rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from '@portcullis/boot';
import type { ServerUsers } from './server-users.js';

/** What tidying depends on. */
export interface ServerRemainsParts {
  readonly users: ServerUsers;
  readonly workFolder: string;
  /** Whether it is hosted here, or a child of it runs still or is about to. */
  readonly isNeeded: (serverId: string) => boolean;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  readonly now: () => number;
}

/** For so long a server has to be gone before its files go: whoever restores a database has time to see what that one does not know. */
const GONE_MS_MIN = 3_600_000;
const FOLDER = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:\+[0-9a-f]{64})?$/;
const DOOMED = 'removed-';

/**
 * What lies here of servers that this runner no longer hosts. An empty folder goes at once, and with the last one the server's user is free; files stay,
 * in case that the server comes back, until the control plane has said for an hour that there is no such server any more.
 */
export class ServerRemains {
  private readonly goneSince = new Map<string, number>();
  private left: readonly string[] = [];

  constructor(private readonly parts: ServerRemainsParts) {}

  /** Servers of which something was here when it was tidied last, though they are not hosted here. */
  get servers(): readonly string[] {
    return this.left;
  }

  /** `removed`: those of them that are no servers any more. */
  async tidy(removed: readonly string[]): Promise<void> {
    const { users, isNeeded } = this.parts;
    const folders = await this.folders();
    const left: string[] = [];
    for (const serverId of new Set([...folders.keys(), ...users.servers])) {
      if (isNeeded(serverId)) this.goneSince.delete(serverId);
      else if (!(await this.take(serverId, folders.get(serverId) ?? [], removed.includes(serverId)))) left.push(serverId);
    }
    this.left = left;
  }

  /** Folders by server; those that an earlier run was about to remove are removed. */
  private async folders(): Promise<ReadonlyMap<string, string[]>> {
    const { workFolder } = this.parts;
    const found = new Map<string, string[]>();
    for (const name of readdirSync(workFolder)) {
      const serverId = FOLDER.exec(name)?.[1];
      if (serverId !== undefined) found.set(serverId, [...(found.get(serverId) ?? []), join(workFolder, name)]);
      else if (name.startsWith(DOOMED)) await rm(join(workFolder, name), { recursive: true, force: true });
    }
    return found;
  }

  /** False where something of it stays. */
  private async take(serverId: string, folders: readonly string[], isRemoved: boolean): Promise<boolean> {
    const { users, isNeeded, logger } = this.parts;
    try {
      if (this.isLongGone(serverId, isRemoved)) {
        await this.remove(folders);
        if (folders.length > 0) logger.info({ server: serverId }, 'The files of a server that is gone were removed');
      } else if (!folders.map(removeEmpty).every(Boolean)) return false;
      // It may have come back while that took its time.
      return !isNeeded(serverId) && users.release(serverId);
    } catch (error) {
      logger.warn({ err: error, server: serverId }, 'What a server left here cannot be removed');
      return false;
    }
  }

  private isLongGone(serverId: string, isRemoved: boolean): boolean {
    const now = this.parts.now();
    if (!isRemoved) this.goneSince.delete(serverId);
    else if (!this.goneSince.has(serverId)) this.goneSince.set(serverId, now);
    return now - (this.goneSince.get(serverId) ?? now) >= GONE_MS_MIN;
  }

  /** Away at once, so that one which comes back finds nothing half removed. */
  private async remove(folders: readonly string[]): Promise<void> {
    for (const folder of folders) {
      const doomed = join(this.parts.workFolder, `${DOOMED}${randomUUID()}`);
      renameSync(folder, doomed);
      await rm(doomed, { recursive: true, force: true });
    }
  }
}

function removeEmpty(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY') return false;
    throw error;
  }
}
