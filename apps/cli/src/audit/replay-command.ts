import type { ReplayResult } from '@portcullis/contracts/api/replays';
import type { Command } from 'commander';
import type { Environment } from '../config.js';
import { connect, type ConnectionOptions } from '../connection.js';
import { plainText } from '../plain-text.js';
import { withConnection } from '../with-connection.js';
import { callId } from './call-id.js';

interface ReplayFlags extends ConnectionOptions {
  reason: string;
  target?: string;
  allowWrites?: boolean;
}

interface Terminal {
  readonly print: (text: string) => void;
  readonly exit: (code: number) => void;
}

/** `portcullis audit replay`. */
export function addReplay(audit: Command, environment: Environment, { print, exit }: Terminal): void {
  const command = audit
    .command('replay')
    .description('Make a recorded call again and compare the results. Exit code 0: the same, 1: another or none, 2: it was not made.')
    .argument('<callId>', 'the call', callId)
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--target <slug>', 'another server that offers the same tool, such as a staging one')
    .option('--allow-writes', 'also a tool that does not say that it only reads');
  withConnection(command).action(async (id: string, { reason, target, allowWrites = false, ...flags }: ReplayFlags) => {
    const { api } = await connect(flags, environment);
    const result = await api.audit.replay(id, { reason, allowWrites, ...(target === undefined ? {} : { target }) });
    print(describeReplay(result));
    exit(result.same === true ? 0 : 1);
  });
}

const verdicts = { true: 'The result is the same.', false: 'The result is another.', null: 'There is nothing to compare.' } as const;

/** How it ended, and each place that differs. Values are foreign words. */
function describeReplay({ target, tool, status, durationMs, error, same, comparedBy, changes, changesTruncated }: ReplayResult): string {
  const how = `${target}:${plainText(tool, 160)}  ${status}${durationMs === null ? '' : ` in ${durationMs} ms`}${error === null ? '' : `: ${plainText(error, 300)}`}`;
  const verdict = verdicts[String(same) as keyof typeof verdicts];
  const lines = changes.map(
    ({ pointer, before, after }) => `  ${plainText(pointer, 200)}: ${plainText(before ?? '(nothing)')} → ${plainText(after ?? '(nothing)')}`,
  );
  const rest = changesTruncated ? ['  … and more'] : [];
  const only = comparedBy === 'hash' && same === false ? ' The recorded one was not kept whole: only digests were compared.' : '';
  return [how, verdict + only, ...lines, ...rest].join('\n');
}
