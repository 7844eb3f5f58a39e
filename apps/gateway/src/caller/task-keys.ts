import { hash } from 'node:crypto';
import { TASK_KEY_AAD, TASK_KEY_CHARS_MAX, TASK_KEY_PREFIX, TaskKeyContent } from '@portcullis/contracts/task-keys';
import { compileNarrowings, type Within } from '@portcullis/policy';
import { openText, type Sealer } from '@portcullis/secrets';
import { LRUCache } from '../memory/lru-cache.js';

/** A task in whose name an agent calls, and what that leaves it of what it may do. */
export interface Task extends TaskKeyContent {
  readonly isWithin: Within;
  /** The same for tasks that are held to the same. */
  readonly narrowingId: string;
}

const REMEMBERED_MAX = 10_000;

/** Makes and opens task keys: sealed, so that any node with the ring opens them, and nothing of them is stored. */
export class TaskKeys {
  /** By a hash of the key: no secret stays in memory. */
  private readonly opened = new LRUCache<Task>(REMEMBERED_MAX);
  private openedBy: Sealer | undefined;

  /** Other keys are another sealer. */
  constructor(private readonly sealer: () => Sealer) {}

  /** The key; undefined where it would be longer than keys may be. */
  seal(content: TaskKeyContent): string | undefined {
    const key = TASK_KEY_PREFIX + this.sealer().seal(JSON.stringify(content), TASK_KEY_AAD);
    return key.length > TASK_KEY_CHARS_MAX ? undefined : key;
  }

  /** What a key says, not yet whether it counts; undefined for one that is none of ours. */
  open(key: string): Task | undefined {
    if (key.length > TASK_KEY_CHARS_MAX || !key.startsWith(TASK_KEY_PREFIX)) return undefined;
    const sealer = this.sealer();
    // What only a withdrawn key opens must not be remembered.
    if (sealer !== this.openedBy) this.opened.clear();
    this.openedBy = sealer;
    const digest = hash('sha256', key, 'hex');
    const known = this.opened.get(digest) ?? unseal(sealer, key.slice(TASK_KEY_PREFIX.length));
    if (known !== undefined) this.opened.set(digest, known);
    return known;
  }
}

function unseal(sealer: Sealer, sealed: string): Task | undefined {
  const text = openText(sealer, sealed, TASK_KEY_AAD);
  if (text === undefined) return undefined;
  const content = TaskKeyContent.parse(JSON.parse(text));
  const narrowingId = hash('sha256', JSON.stringify(content.within), 'base64url');
  return { ...content, isWithin: compileNarrowings(content.within), narrowingId };
}
