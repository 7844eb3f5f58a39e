import { open, type FileHandle } from 'node:fs/promises';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { hashBlock } from '@portcullis/audit';
import { AuditAnchorHead } from '@portcullis/contracts/api/audit-proof';
import type { PrismaClient } from '@portcullis/database';
import { KeyRing } from '../keys/key-ring.js';

/** Where heads are told to, so that nobody who holds the database can take back what was sealed. */
export interface AnchorTargets {
  /** A file that is only ever added to, best on another disk or machine. */
  readonly file?: string | undefined;
  /** Takes each head as a POST of JSON. */
  readonly url?: string | undefined;
}

export const ANCHOR_TARGETS = 'AnchorTargets';
const POST_MS_MAX = 5000;

@Injectable()
export class AnchorsService {
  private readonly logger = new Logger('audit-anchors');

  constructor(
    @Inject(ANCHOR_TARGETS) private readonly targets: AnchorTargets,
    @Inject(KeyRing) private readonly keys: KeyRing,
  ) {}

  /** Tells each target the newest head, if it does not have it. One that cannot take it is told the newest one next time. */
  async tell(database: PrismaClient): Promise<void> {
    const block = await database.auditBlock.findFirst({ orderBy: { n: 'desc' } });
    if (block === null) return;
    const publicKey = (await this.keys.signingKeysEver()).find(({ keyId }) => keyId === block.keyId)?.publicKey ?? '';
    const head = {
      n: Number(block.n),
      hash: hashBlock(block.content),
      events: block.events,
      sealedAt: block.sealedAt.toISOString(),
      keyId: block.keyId,
      publicKey,
      signature: block.signature,
    };
    const { file, url } = this.targets;
    if (file !== undefined) await this.tellOne(database, 'file', head, (line) => appendDurably(file, line));
    if (url !== undefined) await this.tellOne(database, 'url', head, (line) => post(url, line));
  }

  /**
   * The heads that the file has by now, to be read later and then closed; undefined where none is configured or it cannot be read, which is the same to
   * whoever verifies.
   */
  async heads(): Promise<AnchoredHeads | undefined> {
    const { file } = this.targets;
    if (file === undefined) return undefined;
    try {
      const handle = await open(file, 'r');
      return new AnchoredHeads(handle, (await handle.stat()).size);
    } catch (error) {
      this.logger.warn({ msg: 'The file of anchors cannot be read', error: String(error) });
      return undefined;
    }
  }

  private async tellOne(database: PrismaClient, target: string, head: AuditAnchorHead, send: (line: string) => Promise<void>): Promise<void> {
    const known = await database.auditAnchor.findUnique({ where: { target } });
    if (known !== null && known.block === BigInt(head.n) && known.error === null) return;
    const told = await send(`${JSON.stringify(head)}\n`).then(
      () => ({ block: BigInt(head.n), at: new Date(), error: null }),
      (error: unknown) => ({ error: (error instanceof Error ? error.message : String(error)).slice(0, 500) }),
    );
    if (told.error !== null) this.logger.error({ msg: 'A head of the audit trail could not be anchored', target, error: told.error });
    await database.auditAnchor.upsert({ where: { target }, create: { target, block: 0n, ...told }, update: told });
  }
}

/** One by one, so that a file of any length takes no memory: a busy trail adds three million a year. */
export class AnchoredHeads {
  /** `bytes`: how much of the file is read. What is told behind it is of blocks that a reading of before does not know. */
  constructor(
    private readonly handle: FileHandle,
    private readonly bytes: number,
  ) {}

  async *read(): AsyncGenerator<AuditAnchorHead> {
    if (this.bytes === 0) return;
    for await (const line of this.handle.readLines({ start: 0, end: this.bytes - 1, autoClose: false })) yield* headIn(line);
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}

function headIn(line: string): AuditAnchorHead[] {
  try {
    return [AuditAnchorHead.parse(JSON.parse(line))];
  } catch {
    return []; // a line that was torn as the machine died
  }
}

/** On a line of its own, also behind one that was torn as the machine died. */
async function appendDurably(file: string, line: string): Promise<void> {
  const handle = await open(file, 'a+', 0o600);
  try {
    const { size } = await handle.stat();
    const last = size === 0 ? '\n' : (await handle.read(Buffer.alloc(1), 0, 1, size - 1)).buffer.toString();
    await handle.appendFile(last === '\n' ? line : `\n${line}`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function post(url: string, body: string): Promise<void> {
  const signal = AbortSignal.timeout(POST_MS_MAX);
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, redirect: 'error', signal });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`The anchor answered ${answer.status}`);
}
