import { chmodSync, chownSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ServerUser } from './sandbox.js';
import { LaunchRefusal } from './check-executable.js';
import { runsAnythingAs } from './process-table.js';

const Uids = z.record(z.string(), z.number().int().positive());
const Kept = z.union([
  z.object({ newest: z.number().int().nonnegative(), users: Uids }),
  // As runners wrote it that took nobody back.
  Uids.transform((users) => ({ newest: Object.values(users).reduce((one, other) => Math.max(one, other), 0), users })),
]);

/** Gives each server a user of its own out of a range, always the same one, since files of it may lie around. */
export class ServerUsers {
  private readonly uids: Map<string, number>;
  private readonly path: string;
  /** Who was given last. One that is free again is given as late as can be: what of it lies outside of its folders nobody knows. */
  private newest: number;

  constructor(
    folder: string,
    private readonly range: { readonly first: number; readonly count: number },
  ) {
    this.path = join(folder, 'server-users.json');
    const { newest, users } = readKept(this.path);
    this.uids = new Map(Object.entries(users));
    this.newest = newest;
  }

  /** Servers that have a user. */
  get servers(): readonly string[] {
    return [...this.uids.keys()];
  }

  /** Throws a LaunchRefusal when the range is used up. */
  of(serverId: string): ServerUser {
    const known = this.uids.get(serverId);
    const uid = known ?? this.next();
    if (known === undefined) {
      this.uids.set(serverId, uid);
      this.newest = uid;
      this.keep();
    }
    return { uid, gid: uid };
  }

  /** The server's user may be another's. Only for one that has no files here, and is not about to be started. False while processes of it run. */
  release(serverId: string): boolean {
    const uid = this.uids.get(serverId);
    if (uid === undefined) return true;
    if (runsAnythingAs(uid)) return false;
    this.uids.delete(serverId);
    this.keep();
    return true;
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
    const { first, count } = this.range;
    const after = this.newest >= first && this.newest < first + count ? this.newest - first + 1 : 0;
    for (let step = 0; step < count; step += 1) {
      const uid = first + ((after + step) % count);
      if (!taken.has(uid)) return uid;
    }
    throw new LaunchRefusal('The runner has no user left for another server (SERVER_UID_COUNT)');
  }

  private keep(): void {
    const next = `${this.path}.next`;
    writeFileSync(next, JSON.stringify({ newest: this.newest, users: Object.fromEntries(this.uids) }), { mode: 0o600, flush: true });
    renameSync(next, this.path);
  }
}

function readKept(path: string): z.output<typeof Kept> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { newest: 0, users: {} };
    throw error;
  }
  return Kept.parse(JSON.parse(text));
}
