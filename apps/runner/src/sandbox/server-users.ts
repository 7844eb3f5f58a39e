import { chmodSync, chownSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ServerUser } from './sandbox.js';
import { LaunchRefusal } from './check-executable.js';

const Kept = z.record(z.string(), z.number().int().positive());

/** Gives each server a user of its own out of a range, always the same one, since files of it may lie around. */
export class ServerUsers {
  private readonly uids: Map<string, number>;
  private readonly path: string;

  constructor(
    folder: string,
    private readonly range: { readonly first: number; readonly count: number },
  ) {
    this.path = join(folder, 'server-users.json');
    this.uids = new Map(Object.entries(readKept(this.path)));
  }

  /** Throws a LaunchRefusal when the range is used up. */
  of(serverId: string): ServerUser {
    const known = this.uids.get(serverId);
    const uid = known ?? this.next();
    if (known === undefined) {
      this.uids.set(serverId, uid);
      this.keep();
    }
    return { uid, gid: uid };
  }

  /** A folder that only this user can look into. */
  ownFolder(path: string, user: ServerUser | undefined): string {
    mkdirSync(path, { recursive: true });
    if (user !== undefined) chownSync(path, user.uid, user.gid);
    chmodSync(path, 0o700);
    return path;
  }

  private next(): number {
    const taken = new Set(this.uids.values());
    for (let uid = this.range.first; uid < this.range.first + this.range.count; uid += 1) if (!taken.has(uid)) return uid;
    throw new LaunchRefusal('The runner has no user left for another server (SERVER_UIDS)');
  }

  private keep(): void {
    const next = `${this.path}.next`;
    writeFileSync(next, JSON.stringify(Object.fromEntries(this.uids)), { mode: 0o600, flush: true });
    renameSync(next, this.path);
  }
}

function readKept(path: string): Record<string, number> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  return Kept.parse(JSON.parse(text));
}
