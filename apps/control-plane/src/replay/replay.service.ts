import { Inject, Injectable } from '@nestjs/common';
import type { ReplayCall, ReplayResult, ReplayStatus } from '@portcullis/contracts/api/replays';
import type { CallReplay as ReplayRow, Server } from '@portcullis/database';
import type { Subject } from '../changes/author.js';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { ProblemError } from '../http/problem.js';
import type { Caller } from '../operators/operator-tokens.js';
import { ServersService } from '../servers/servers.service.js';
import type { CallEnd } from './call-tool.js';
import { compareResults, sha256, type Comparison } from './compare-results.js';
import { ReplayCaller } from './replay-caller.js';
import { readReplayable, requireCallable, type ReplayableCall } from './replayable-call.js';
import { toReplay } from './replays.repository.js';

const REPLAYS_MAX = 4;

/** Makes recorded calls again. That one is made is on record before it goes out, and how it ended after. */
@Injectable()
export class ReplayService {
  private running = 0;

  constructor(
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(ServersService) private readonly servers: ServersService,
    @Inject(ReplayCaller) private readonly caller: ReplayCaller,
  ) {}

  async replay(caller: Caller, callId: string, wanted: ReplayCall): Promise<ReplayResult> {
    if (wanted.allowWrites && caller.role !== 'admin')
      throw new ProblemError('forbidden', 'Only an administrator may make a call again that may write.');
    if (this.running >= REPLAYS_MAX)
      throw new ProblemError('unavailable', `${REPLAYS_MAX} calls are being made again here. Try again when one has ended.`);
    this.running += 1;
    try {
      const { call, target, row } = await this.begin(caller, callId, wanted);
      const begun = performance.now();
      const end = await this.caller.call(target, call);
      return await this.end(caller, row, end, { durationMs: Math.round(performance.now() - begun), call });
    } finally {
      this.running -= 1;
    }
  }

  private async begin(caller: Caller, callId: string, { reason, target: named, allowWrites }: ReplayCall): Promise<Begun> {
    return this.changes.apply(caller, 'call.replayed', async (tx) => {
      const call = await readReplayable(tx, callId);
      const target = await this.servers.find(tx, named ?? call.serverId);
      await requireCallable(tx, target, call.tool, allowWrites);
      const { server, tool } = call;
      const data = { replayOf: callId, at: new Date(), operator: caller.name, reason, server, target: target.slug, tool };
      const row = await tx.callReplay.create({ data });
      const change = { replayOf: callId, replayId: row.id, server, target: target.slug, tool, reason, allowWrites };
      return { result: { call, target, row }, subject: subjectOf(callId), change };
    });
  }

  private async end(
    caller: Caller,
    row: ReplayRow,
    end: CallEnd,
    { durationMs, call }: { durationMs: number; call: ReplayableCall },
  ): Promise<ReplayResult> {
    const text = 'result' in end ? end.result : undefined;
    const compared = compareResults(call.result, text);
    const said = text === undefined ? { resultHash: null, resultBytes: null } : { resultHash: sha256(text), resultBytes: Buffer.byteLength(text) };
    const data = { status: statusOf(end), durationMs, ...said, same: compared.same };
    const ended = await this.changes.apply(caller, 'call.replay-ended', async (tx) => {
      const updated = await tx.callReplay.update({ where: { id: row.id }, data });
      return { result: updated, subject: subjectOf(row.replayOf), change: { replayOf: row.replayOf, replayId: row.id, ...data } };
    });
    return resultOf(ended, end, compared);
  }
}

interface Begun {
  readonly call: ReplayableCall;
  readonly target: Server;
  readonly row: ReplayRow;
}

const subjectOf = (callId: string): Subject => ({ kind: 'call', id: callId });

const statusOf = (end: CallEnd): ReplayStatus => ('error' in end ? 'failed' : end.isError ? 'tool_error' : 'success');

const resultOf = (row: ReplayRow, end: CallEnd, compared: Comparison): ReplayResult => ({
  ...toReplay(row),
  error: 'error' in end ? end.error : null,
  ...compared,
});
